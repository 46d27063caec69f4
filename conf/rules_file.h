// Files that hold nothing but MX rules: the shipped ones, compiled into the program or read from a path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/config_parser.h"
#include "conf/mx_rule.h"

namespace conf {

// mx/rules/shipped.toml as it was when the program was built.
extern const std::string_view kShippedRules;
inline constexpr const char* kShippedRulesName = "rules.toml (shipped)";

// Every rule that could be read, marked as shipped. Only [[rule]] may stand in `text`.
std::vector<MxRule> parse_rules(std::string_view text, const std::string& file,
                                std::vector<Problem>* problems);
const std::vector<MxRule>& built_in_rules();

}  // namespace conf
