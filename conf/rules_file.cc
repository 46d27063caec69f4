#include "conf/rules_file.h"

#include "conf/sections.h"
#include "conf/toml_root.h"
#include "conf/vocab/check.h"

namespace conf {

std::vector<MxRule> parse_rules(std::string_view text, const std::string& file,
                                std::vector<Problem>* problems) {
  toml::table table;
  if (!parse_toml(text, file, &table, problems)) return {};
  TableReader root(&table, "", file, problems);
  std::vector<MxRule> rules = read_rules(&root, file);
  for (MxRule& rule : rules) rule.shipped = true;
  root.finish();
  return rules;
}

const std::vector<MxRule>& built_in_rules() {
  static const std::vector<MxRule> rules = [] {
    std::vector<Problem> problems;
    std::vector<MxRule> parsed = parse_rules(kShippedRules, kShippedRulesName, &problems);
    CHECK(problems.empty());
    return parsed;
  }();
  return rules;
}

}  // namespace conf
