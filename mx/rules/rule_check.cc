#include "mx/rules/rule_check.h"

#include <algorithm>

#include "conf/limits.h"

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

using conf::Problem;

constexpr size_t kThresholdsPerRule = 4;  // the state of a path has room for so many
constexpr uint32_t kMostProbes = 100;     // more would be a burst, not a probe
constexpr size_t kRuleNameOctets = 64;
constexpr uint32_t kMillion = 1'000'000;  // a share of one, in parts of a million

void report(const RuleOrigin& at, std::string message, std::vector<Problem>* out) {
  out->push_back({at.file, at.line, at.column, std::move(message), false});
}

void not_zero(const char* key, const RuleValue<uint32_t>& value, std::vector<Problem>* out) {
  if (value.set && value.value == 0)
    report(value.origin, std::string(key) + " = 0 would stop all mail; leave it out for no limit", out);
}

void positive(const char* key, const RuleValue<conf::Duration>& value, std::vector<Problem>* out) {
  if (value.set && value.value.count() <= 0)
    report(value.origin, std::string(key) + " must be longer than nothing", out);
}

void check_rate(const RuleValue<conf::RuleRate>& rate, std::vector<Problem>* out) {
  if (!rate.set) return;
  if (rate.value.events == 0 || rate.value.per.count() <= 0)
    report(rate.origin, "a rate of 0 would stop all mail; leave it out for no limit", out);
  if (rate.value.burst == 0) report(rate.origin, "burst = 0 lets nothing through; the least is 1", out);
  if (rate.value.burst > rate.value.events && rate.value.events != 0) {
    report(rate.origin,
           "burst = " + std::to_string(rate.value.burst) + " is above the rate itself, which lets " +
               std::to_string(rate.value.events) + " go in that time; the burst is a part of them",
           out);
  }
  if (rate.value.per > 24h || rate.value.burst > kMillion) {
    report(rate.origin, "a rate is for at most a day and its burst at most 1000000", out);
  }
  if (rate.value.per.count() > 0 && rate.value.events > static_cast<uint64_t>(rate.value.per.count()))
    report(rate.origin, "a rate above one message per microsecond is no limit", out);
}

// Counters are kept under the name, with '|' between the parts of their key.
std::string name_trouble(const std::string& name) {
  if (name.empty())
    return "a rule needs a name, by which messages, counters and other rules call it: name = \"isp\"";
  if (name.size() > kRuleNameOctets) return "the name of a rule is at most 64 octets";
  for (const char c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f || c == '|' || c == '"')
      return "the name of a rule has no blanks, no '|', no quotes and only ASCII; such as \"isp-1\"";
  }
  return "";
}

void check_connections(const Rule& rule, std::vector<Problem>* out) {
  const auto& v = rule.values;
  not_zero("max_connections", v.max_connections, out);
  not_zero("min_connections", v.min_connections, out);
  if (v.max_connections.set && v.min_connections.set && v.min_connections.value > v.max_connections.value) {
    report(v.min_connections.origin,
           "min_connections = " + std::to_string(v.min_connections.value) + " is above max_connections = " +
               std::to_string(v.max_connections.value) + " of " + v.max_connections.origin.text(),
           out);
  }
}

// "" when the threshold can work.
std::string threshold_trouble(const conf::RuleThreshold& t) {
  if (t.error_rate_ppm == 0 || t.error_rate_ppm > kMillion) return "error_rate must be above 0 and at most 1";
  if (t.min_messages == 0) return "min_messages must be at least 1";
  if (t.window < 1s || t.window > 48h) return "window must be between 1s and 48h";
  if (t.block < 1s) return "block must be at least 1s";
  if (t.min_duration > t.window)
    return "min_duration is longer than window: the errors would be forgotten before they have gone on so "
           "long";
  if (t.max_block < t.block) return "max_block is shorter than block";
  if (t.first_probe >= t.block)
    return "first_probe must come before the block is over: it is not shorter than block";
  if (t.probes == 0 || t.probes > kMostProbes) return "probes must be between 1 and 100";
  if (!t.count_hard && !t.count_soft) return "it counts no error: count must name \"hard\", \"soft\" or both";
  return "";
}

// A limit of the rule under which the sample never becomes as large as the threshold wants it.
struct Unreachable {
  std::string limit;  // "" when it can; as said to the operator
  RuleOrigin origin;  // of the limit
};

Unreachable out_of_reach(const conf::RuleThreshold& t, const Rule& rule) {
  const RuleValue<uint32_t>& quota = rule.values.messages_per_hour;
  // A window that is no whole number of hours may see the quota of the hours that it touches.
  const uint64_t hours = static_cast<uint64_t>((t.window + 1h - conf::Duration(1)) / 1h);
  if (quota.set && t.min_messages > hours * quota.value)
    return {"messages_per_hour = " + std::to_string(quota.value), quota.origin};
  const RuleValue<conf::RuleRate>& rate = rule.values.rate;
  if (rate.set && rate.value.per.count() > 0) {
    const auto periods =
        static_cast<uint64_t>((t.window + rate.value.per - conf::Duration(1)) / rate.value.per);
    const double most = static_cast<double>(periods) * static_cast<double>(rate.value.events);
    if (t.min_messages > most) return {"the rate", rate.origin};
  }
  return {};
}

RuleOrigin place_of(const RuleValue<std::vector<conf::RuleThreshold>>& thresholds,
                    const conf::RuleThreshold& threshold) {
  RuleOrigin at = thresholds.origin;
  if (threshold.line != 0) {
    at.line = threshold.line;
    at.column = threshold.column;
  }
  return at;
}

// A threshold that a limit beside it, or one of its own parents, contradicts is a mistake of who wrote it: an
// error. One that is inherited is meant for others too: a warning where the limit stands, with the cure.
void check_reach(const Rule& rule, const conf::RuleThreshold& threshold, std::vector<Problem>* out) {
  const auto& thresholds = rule.values.thresholds;
  const Unreachable too_far = out_of_reach(threshold, rule);
  if (too_far.limit.empty()) return;
  const RuleOrigin at = place_of(thresholds, threshold);
  const std::string wanted = "min_messages = " + std::to_string(threshold.min_messages);
  const auto same = [&at](const std::string& name, bool shipped) {
    return at.rule == name && at.shipped == shipped;
  };
  if (same(rule.name, rule.shipped) || same(too_far.origin.rule, too_far.origin.shipped)) {
    report(at,
           "threshold of rule \"" + rule.name + "\": " + wanted + " is above what " + too_far.limit + " (" +
               too_far.origin.text() + ") allows within the window: it could never block",
           out);
    return;
  }
  out->push_back({too_far.origin.file, too_far.origin.line, too_far.origin.column,
                  too_far.limit + " of rule \"" + rule.name + "\" lets fewer go within the window than " +
                      wanted + " of the inherited threshold at " + at.file + ":" + std::to_string(at.line) +
                      ":" + std::to_string(at.column) +
                      ": that one can never block; give the rule a [[rule.threshold]] with a smaller "
                      "min_messages, or say threshold = \"unset\" if it is meant",
                  true});
}

void check_thresholds(const Rule& rule, std::vector<Problem>* out) {
  const auto& thresholds = rule.values.thresholds;
  if (!thresholds.set) return;
  if (thresholds.value.size() > kThresholdsPerRule)
    report(thresholds.origin, "more than 4 thresholds in a rule", out);
  for (const conf::RuleThreshold& threshold : thresholds.value) {
    const std::string trouble = threshold_trouble(threshold);
    if (trouble.empty()) {
      check_reach(rule, threshold, out);
    } else {
      report(place_of(thresholds, threshold), "threshold of rule \"" + rule.name + "\": " + trouble, out);
    }
  }
}

void check_adaptive(const Rule& rule, std::vector<Problem>* out) {
  const auto& v = rule.values;
  not_zero("adaptive_min", v.adaptive_min_per_hour, out);
  not_zero("adaptive_max", v.adaptive_max_per_hour, out);
  if (v.adaptive.set && v.adaptive.value != conf::AdaptiveMode::kOff &&
      (!v.adaptive_min_per_hour.set || !v.adaptive_max_per_hour.set)) {
    report(v.adaptive.origin, "adaptive needs adaptive_min and adaptive_max, the bounds of what it may learn",
           out);
  }
  if (v.adaptive_min_per_hour.set && v.adaptive_max_per_hour.set &&
      v.adaptive_min_per_hour.value > v.adaptive_max_per_hour.value) {
    report(v.adaptive_min_per_hour.origin, "adaptive_min is above adaptive_max", out);
  }
}

bool covers_any(const std::vector<std::string>& wide, const std::string& narrow) {
  return std::ranges::any_of(wide, [&](const std::string& mask) { return mask_covers(mask, narrow); });
}

// Whether `earlier` takes whatever matches this pair of masks. An empty mask is a rule without such a mask.
bool takes(const Rule& earlier, const std::string& domain, const std::string& host) {
  const bool domain_taken =
      earlier.domains.empty() || covers_any(earlier.domains, domain.empty() ? "*" : domain);
  const bool host_taken = earlier.mx.empty() || covers_any(earlier.mx, host.empty() ? "*" : host);
  return domain_taken && host_taken;
}

// The name of the last rule that completes the shadow over this pair; "" when the pair can still match.
std::string shadow_over(const std::vector<RulePtr>& rules, size_t position, const std::string& domain,
                        const std::string& host) {
  conf::SourceSet taken;
  for (size_t i = 0; i < position; ++i) {
    if (rules[i]->is_template() || !takes(*rules[i], domain, host)) continue;
    if (rules[position]->shipped && !rules[i]->shipped) continue;
    taken.add(rules[i]->sources);
    if (taken.covers(rules[position]->sources)) return rules[i]->name;
  }
  return "";
}

// The rule that completes the shadow over the rule at `position`; "" when it can still match.
std::string shadow_of(const std::vector<RulePtr>& rules, size_t position) {
  const Rule& rule = *rules[position];
  const std::vector<std::string> none = {""};
  std::string by;
  for (const std::string& domain : rule.domains.empty() ? none : rule.domains) {
    for (const std::string& host : rule.mx.empty() ? none : rule.mx) {
      by = shadow_over(rules, position, domain, host);
      if (by.empty()) return "";
    }
  }
  return by;
}

}  // namespace

std::string mask_trouble(std::string_view glob) {
  if (glob.empty()) return "an empty mask matches nothing; \"*\" matches all";
  if (glob.size() > conf::limits::kDomainOctets) return "a mask is at most 255 octets, as a domain";
  for (const char c : glob) {
    if (static_cast<unsigned char>(c) >= 0x80) return "masks are ASCII; write the domain as xn--...";
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool sign = std::string_view("-._*?[]:").find(c) != std::string_view::npos;
    if (!letter && !sign) return std::string("'") + c + "' cannot stand in a mask of a name";
  }
  if (glob.front() == '.') return "no name begins with a dot; write \"*" + std::string(glob) + "\"";
  if (glob.back() == '.') return "names are compared without the dot at the end";
  if (glob.find("..") != std::string_view::npos) return "no name has two dots in a row";
  return "";
}

void check_heading(const conf::MxRule& rule, std::vector<Problem>* problems) {
  const RuleOrigin begin{rule.name, rule.file, rule.line, rule.column};
  const auto place = [&begin](int line, int column) {
    return line == 0 ? begin : RuleOrigin{begin.rule, begin.file, line, column};
  };
  const std::string name = name_trouble(rule.name);
  if (!name.empty()) report(begin, name, problems);
  for (const std::vector<conf::RuleMask>* masks : {&rule.mx, &rule.domains}) {
    for (const conf::RuleMask& mask : *masks) {
      const std::string trouble = mask_trouble(mask.glob);
      if (trouble.empty()) continue;
      report(place(mask.line, mask.column), "mask \"" + mask.glob + "\": " + trouble, problems);
    }
  }
  const conf::Result<conf::SourceSet> sources = conf::SourceSet::parse(rule.sources);
  if (!sources.ok()) report(place(rule.sources_line, rule.sources_column), sources.error().detail, problems);
}

void check_values(const Rule& rule, std::vector<Problem>* problems) {
  const auto& v = rule.values;
  check_connections(rule, problems);
  not_zero("max_messages_per_connection", v.max_messages_per_connection, problems);
  not_zero("messages_per_hour", v.messages_per_hour, problems);
  not_zero("max_recipients", v.max_recipients, problems);
  check_rate(v.rate, problems);
  positive("connect_timeout", v.connect_timeout, problems);
  positive("dot_timeout", v.dot_timeout, problems);
  positive("timeout", v.timeout, problems);
  check_thresholds(rule, problems);
  check_adaptive(rule, problems);
  if (v.login.set && !v.login.value.empty() && !v.smart_hosts.set)
    report(v.login.origin, "login goes with smart_hosts: without them the secret would be told to MX hosts",
           problems);
}

void check_shadows(const std::vector<RulePtr>& rules, std::vector<Problem>* problems) {
  for (size_t i = 0; i < rules.size(); ++i) {
    if (rules[i]->is_template()) continue;
    const std::string by = shadow_of(rules, i);
    if (by.empty()) continue;
    problems->push_back({rules[i]->file, rules[i]->line, rules[i]->column,
                         "rule \"" + rules[i]->name + "\" can never match: rule \"" + by +
                             "\" and those before it take all that it would",
                         true});
  }
}

bool is_shadowed(const std::vector<RulePtr>& rules, const Rule& rule) {
  for (size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].get() == &rule) return !shadow_of(rules, i).empty();
  }
  return false;
}

bool masks_meet(const std::vector<std::string>& one, const std::vector<std::string>& other) {
  return std::ranges::any_of(one, [&other](const std::string& mask) {
    return std::ranges::any_of(other, [&mask](const std::string& another) {
      return mask_covers(mask, another) || mask_covers(another, mask);
    });
  });
}

}  // namespace mx
