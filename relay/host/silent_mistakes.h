// What is no error and yet most likely not meant: a configuration that says one thing and does another. Each
// finding is a warning with its place and the cure. Pure.
#pragma once

#include <vector>

#include "conf/config.h"
#include "conf/config_parser.h"
#include "conf/config_words.h"
#include "mx/rules/rule_book.h"

namespace relay {

// `book` was built from `config.rules`, and `words` are those of its file, for the places of keys. O(rules² x
// masks²) at load, with the sources and destinations besides.
std::vector<conf::Problem> silent_mistakes(const conf::Config& config, const mx::RuleBook& book,
                                           const conf::ConfigWords& words);

}  // namespace relay
