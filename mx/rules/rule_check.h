// What may be wrong with a rule: the checks that RuleBook runs while it is built. Each reports into a list;
// none stops at the first mistake.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/config_parser.h"
#include "conf/mx_rule.h"
#include "mx/rules/rule_book.h"

namespace mx {

// "" when the glob is fine, else what is wrong with it.
std::string mask_trouble(std::string_view glob);
// The rule as written: name, masks, sources.
void check_heading(const conf::MxRule& rule, std::vector<conf::Problem>* problems);
// The values after inheritance, so that an inherited value that does not fit is found too.
void check_values(const Rule& rule, std::vector<conf::Problem>* problems);
// Rules (in the order of their rank) that can never match, for earlier ones match all that they would: a
// warning for each. A shipped rule that local ones replace is no mistake. O(rules² x masks²), at load.
void check_shadows(const std::vector<RulePtr>& rules, std::vector<conf::Problem>* problems);
// The same of one of them.
bool is_shadowed(const std::vector<RulePtr>& rules, const Rule& rule);
// Whether a host that a mask of the one list takes can be taken by one of the other. May say no for two masks
// that only overlap in part.
bool masks_meet(const std::vector<std::string>& one, const std::vector<std::string>& other);

}  // namespace mx
