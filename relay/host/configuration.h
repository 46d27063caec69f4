// The configuration as the relay uses it: the file, the rules in it and the shipped ones built into a book.
// Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bounce/qualifier.h"
#include "conf/config_parser.h"
#include "mx/rules/rule_book.h"

namespace relay {

struct Configuration {
  conf::ConfigPtr config;                              // null when there is an error anywhere
  mx::RuleBookPtr book;                                // null likewise
  std::shared_ptr<const bounce::Qualifier> qualifier;  // null likewise
  std::vector<conf::Problem> problems;                 // all of them, in order of place
};

// Reads the file, and that of the shipped rules when one is named.
Configuration load_configuration(const std::string& path);
// The same of a text; a file of shipped rules is not read.
Configuration parse_configuration(std::string_view text, const std::string& file_name);

}  // namespace relay
