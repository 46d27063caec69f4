// What is no error and yet most likely not meant: a configuration that says one thing and does another. Each
// finding is a warning with its place and the cure. Pure.
#pragma once

#include <vector>

#include "conf/config.h"
#include "conf/config_parser.h"
#include "mx/rules/rule_book.h"

namespace relay {

// `book` was built from `config.rules`. O(rules² x masks²) at load, with the sources and destinations
// besides.
std::vector<conf::Problem> silent_mistakes(const conf::Config& config, const mx::RuleBook& book);

}  // namespace relay
