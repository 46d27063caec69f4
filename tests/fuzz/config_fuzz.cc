// Any text gives a configuration or at least one error with a place; never both, never neither. So do its
// rules, and a book of them answers whatever it is asked.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config_parser.h"
#include "conf/vocab/check.h"
#include "mx/rules/path_limits.h"

namespace {

void use_rules(const conf::Config& config) {
  std::vector<conf::MxRule> local;  // the shipped ones are the same each time
  for (const conf::MxRule& rule : config.rules) {
    if (!rule.shipped) local.push_back(rule);
  }
  const mx::BuiltRules built = mx::build_rules(local);
  CHECK(conf::has_error(built.problems) == (built.book == nullptr));
  for (const conf::Problem& problem : built.problems) CHECK(!problem.message.empty() && problem.line > 0);
  if (built.book == nullptr) return;
  const std::vector<std::string> hosts = {"mx1.example.com", "mx2.example.com"};
  const mx::RulePtr certain = built.book->certain_match("example.com");
  const mx::RulePtr found = built.book->match("example.com", hosts, 1);
  CHECK(certain == nullptr || certain == found);
  const mx::PathLimits limits = mx::limits_for(found.get(), config.defaults, true);
  CHECK(limits.min_connections <= limits.max_connections && limits.max_connections > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const conf::ParsedConfig parsed = conf::parse_config(text, "fuzz.toml");
  const bool errors = std::ranges::any_of(parsed.problems, [](const conf::Problem& p) { return !p.warning; });
  CHECK(errors == (parsed.config == nullptr));
  for (const conf::Problem& problem : parsed.problems) CHECK(!problem.message.empty() && problem.line >= 0);
  (void)conf::parse_duration(text).ok();
  (void)conf::parse_size(text).ok();
  (void)conf::parse_rate(text).ok();
  if (parsed.draft != nullptr) use_rules(*parsed.draft);
  if (parsed.config != nullptr) (void)parsed.config->settings_for("example.com");
  return 0;
}
