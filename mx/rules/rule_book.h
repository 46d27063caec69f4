// The book of MX rules: ordered, the first that matches decides. Rules with a mask on the recipient domain
// rank above those with masks on MX hosts only; in each class the local rules stand before the shipped ones.
// But a local general case (mx = ["*"] for all sources) and what stands behind it come after the shipped
// rules of providers and before the shipped general case: it is for the sites that nothing else is for.
// Built once per reload, immutable, shared.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config_parser.h"
#include "conf/mx_rule.h"
#include "conf/vocab/source_set.h"

namespace mx {

struct RuleOrigin {
  std::string rule;  // the rule that sets the value; another one than the asked when inherited
  std::string file;
  int line = 0;
  int column = 1;
  bool shipped = false;
  std::string text() const;  // "file:line (rule NAME)"
};

// A value after inheritance. Not set: the settings of the destination hold.
template <typename T>
struct RuleValue {
  bool set = false;
  T value{};
  RuleOrigin origin;  // also of an explicit unset (`set` is false, the line is there)
  T value_or(T other) const { return set ? value : std::move(other); }
};

struct Rule {
  std::string name;
  std::string file;
  int line = 0;
  int column = 1;
  bool shipped = false;
  std::vector<std::string> mx;
  std::vector<std::string> domains;
  conf::SourceSet sources;
  conf::RuleFields<RuleValue> values;
  // A rule without masks only lends its values to others.
  bool is_template() const { return mx.empty() && domains.empty(); }
  // It matches every site, whatever the domain and the source.
  bool is_general() const;
  // All of these MX hosts are of the receiver that the rule is about. One is enough for the rule to decide,
  // but whoever owns a zone can name the hosts of others beside his own, and must not share their counters.
  bool is_about_all(std::span<const std::string> hosts) const;
  // "file:line" of the rule, or of one of its thresholds, which may be a parent's, when that line is not 0.
  std::string place(int line_of_threshold = 0) const;
};
using RulePtr = std::shared_ptr<const Rule>;

class RuleBook {
 public:
  // The rule for mail to `domain` at a site with these MX hosts, from the source with this identifier: a mask
  // matches when it matches any of the hosts, so that the answer depends on the set and not on its order.
  // Null: none matches. O(rules x hosts); ask once per path, not per message.
  RulePtr match(std::string_view domain, std::span<const std::string> hosts, uint32_t source) const;
  // The same for all sources at once: the rules that match the domain and the hosts, in the order of their
  // rank, as far as the first that holds for every source. It ends with null when there is no such rule, and
  // hence is never empty. Its length does not depend on how many sources there are.
  using Candidates = std::vector<RulePtr>;
  Candidates candidates(std::string_view domain, std::span<const std::string> hosts) const;
  // The rule for the source; null: none, also for no candidates.
  static RulePtr first_for(const Candidates& candidates, uint32_t source);
  // The rule for mail to `domain` when it is the same whatever the MX hosts and the source will be; null when
  // that depends on them, and when no rule matches. O(rules)
  RulePtr certain_match(std::string_view domain) const;
  RulePtr named(std::string_view name) const;  // null: there is none
  const std::vector<RulePtr>& rules() const { return rules_; }

 private:
  friend struct RuleBookBuilder;
  std::vector<RulePtr> rules_;  // in the order of their rank
};
using RuleBookPtr = std::shared_ptr<const RuleBook>;

struct BuiltRules {
  RuleBookPtr book;                     // null when there is an error
  std::vector<conf::Problem> problems;  // errors, and warnings such as a rule that can never match
};

// Takes rules in the order of their files. Every error is reported, not only the first.
BuiltRules build_rules(const std::vector<conf::MxRule>& written);

// Whether every name that `narrow` matches is matched by `wide`. Never says yes wrongly; may say no when two
// globs are written differently ("?*" and "*?").
bool mask_covers(std::string_view wide, std::string_view narrow);

}  // namespace mx
