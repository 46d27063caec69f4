#include "relay/admin/limit_text.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace relay::admin {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

std::string number_or_none(uint64_t value) { return value == 0 ? "none" : std::to_string(value); }

// The largest unit that divides it: "90s", "2h".
std::string duration(conf::Duration d) {
  if (d.count() != 0 && d % 24h == conf::Duration(0)) return fmt::format("{}d", d / 24h);
  if (d.count() != 0 && d % 1h == conf::Duration(0)) return fmt::format("{}h", d / 1h);
  if (d.count() != 0 && d % 1min == conf::Duration(0)) return fmt::format("{}m", d / 1min);
  if (d % 1s == conf::Duration(0)) return fmt::format("{}s", d / 1s);
  return fmt::format("{}ms", d / 1ms);
}

std::string rate(const conf::RuleRate& rate) {
  if (rate.events == 0) return "none";
  return fmt::format("{} in {}, burst {}", rate.events, duration(rate.per), rate.burst);
}

const char* tls(const conf::DestinationSettings& settings) {
  switch (settings.tls) {
    case conf::TlsMode::kOff:
      return "off";
    case conf::TlsMode::kOpportunistic:
      return "opportunistic";
    case conf::TlsMode::kRequired:
      return settings.tls_verify ? "required, verified" : "required";
  }
  return "";
}

std::string steps(const conf::RetrySchedule::Delays& delays) {
  std::string text;
  for (size_t i = 0; i < delays.size();) {
    size_t same = i;
    while (same < delays.size() && delays[same] == delays[i]) ++same;
    const std::string times = same - i == 1 ? "" : fmt::format("{} x ", same - i);
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", times, duration(delays[i]));
    i = same;
  }
  return text.empty() ? "none" : text;
}

std::string by_reason(const conf::RetrySchedule& retry) {
  std::string text;
  for (const conf::RetrySchedule::OfReason& each : retry.by_reason) {
    if (each.delays.empty()) continue;
    text += fmt::format("{}{}: {}, the last repeated", text.empty() ? "" : "; ", to_text(each.reason),
                        steps(each.delays));
  }
  return text.empty() ? "none" : text;
}

std::string first_tries(const conf::RetrySchedule& retry) {
  std::string text;
  for (size_t i = 0; i < conf::kPassingTroubles; ++i) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", to_text(static_cast<conf::PassingTrouble>(i)),
                        steps(retry.first_tries[i]));
  }
  return text;
}

std::string thresholds(const std::vector<conf::RuleThreshold>& all) {
  std::string text;
  for (const conf::RuleThreshold& t : all) {
    std::string only;
    for (const conf::Reason reason : t.reasons)
      only += (only.empty() ? " " : ", ") + std::string(to_text(reason));
    text += fmt::format("{}{:g} %{} of at least {} in {}: block {}", text.empty() ? "" : "; ",
                        t.error_rate_ppm / 1e4, only, t.min_messages, duration(t.window), duration(t.block));
  }
  return text.empty() ? "none" : text;
}

std::string hosts(const std::vector<conf::SmartHost>& all) {
  std::string text;
  for (const conf::SmartHost& host : all)
    text += (text.empty() ? "" : ", ") + fmt::format("{}:{}", host.host, host.port);
  return text.empty() ? "none (MX)" : text;
}

std::string ladder(const std::vector<uint32_t>& steps) {
  std::string text;
  for (const uint32_t step : steps) text += (text.empty() ? "" : ", ") + std::to_string(step);
  return text.empty() ? "none" : text + " a day";
}

// Adds one line a value; the rule's value carries the place.
struct Lines {
  std::vector<LimitView> views;
  template <typename T>
  void add(const char* key, std::string value, const mx::RuleValue<T>* from,
           const char* otherwise = "[defaults] or [[destination]]") {
    const bool by_rule = from != nullptr && from->set;
    views.push_back({key, std::move(value), by_rule ? from->origin.text() : otherwise, by_rule, ""});
  }
  // Of what a shipped rule can only make stricter: `holds` may be the destination's word all the same.
  template <typename T>
  void add_stricter(const char* key, std::string value, const mx::RuleValue<T>& from, const T& holds) {
    add(key, std::move(value), &from);
    if (!from.set || from.value == holds) return;
    LimitView& view = views.back();
    view.overruled_where = std::exchange(view.where, "[defaults] or [[destination]]");
    view.by_rule = false;
  }
  // Of what only a rule can set.
  template <typename T>
  void add_of_rule(const char* key, std::string value, const mx::RuleValue<T>* from) {
    add(key, std::move(value), from, "no rule sets it");
  }
};

}  // namespace

const char* to_text(conf::RuleScope scope) {
  switch (scope) {
    case conf::RuleScope::kPath:
      return "path";
    case conf::RuleScope::kSource:
      return "source";
    case conf::RuleScope::kPool:
      return "pool";
  }
  return "";
}

const char* to_text(conf::AdaptiveMode mode) {
  switch (mode) {
    case conf::AdaptiveMode::kOff:
      return "off";
    case conf::AdaptiveMode::kAdvise:
      return "advise";
    case conf::AdaptiveMode::kOn:
      return "on";
  }
  return "";
}

std::vector<LimitView> limit_views(const mx::Rule* rule, const mx::PathLimits& limits,
                                   const conf::DestinationSettings& settings) {
  static const conf::RuleFields<mx::RuleValue> kNothing;
  const conf::RuleFields<mx::RuleValue>& v = rule == nullptr ? kNothing : rule->values;
  constexpr const mx::RuleValue<bool>* kNoRule = nullptr;
  Lines lines;
  lines.add_of_rule("scope", to_text(limits.scope), &v.scope);
  lines.add_of_rule("one_site", limits.one_site ? "true" : "false", &v.one_site);
  lines.add_stricter("max_connections", std::to_string(limits.max_connections), v.max_connections,
                     limits.max_connections);
  lines.add_of_rule("min_connections", std::to_string(limits.min_connections), &v.min_connections);
  lines.add_stricter("max_messages_per_connection", number_or_none(limits.max_messages_per_connection),
                     v.max_messages_per_connection, limits.max_messages_per_connection);
  lines.add_of_rule("messages_per_hour", number_or_none(limits.messages_per_hour), &v.messages_per_hour);
  lines.add_of_rule("smooth", limits.smooth ? "true" : "false", &v.smooth);
  lines.add_of_rule("rate", rate(limits.rate), &v.rate);
  lines.add_stricter("max_recipients", std::to_string(settings.max_recipients_per_transaction),
                     v.max_recipients, settings.max_recipients_per_transaction);
  lines.add_of_rule("thresholds", thresholds(limits.thresholds), &v.thresholds);
  lines.add_of_rule("adaptive", to_text(limits.adaptive), &v.adaptive);
  lines.add_of_rule("warmup", ladder(limits.warmup), &v.warmup);
  lines.add_of_rule("warmup_hold", fmt::format("{:g} %", limits.warmup_hold_ppm / 1e4), &v.warmup_hold);
  lines.add("connect_timeout", duration(settings.timeouts.connect), &v.connect_timeout);
  lines.add("dot_timeout", duration(settings.timeouts.data_done), &v.dot_timeout);
  lines.add("timeout", duration(settings.timeouts.mail), &v.timeout);
  lines.add_stricter("tls", tls(settings), v.tls, settings.tls);
  lines.add("smart_hosts", hosts(settings.smart_hosts), &v.smart_hosts);
  lines.add("schedule", steps(settings.retry.delays), &v.schedule);
  lines.add("schedule_by_reason", by_reason(settings.retry), kNoRule);
  lines.add("first_tries", first_tries(settings.retry), kNoRule);
  lines.add("validity", duration(settings.retry.validity), &v.validity);
  return lines.views;
}

}  // namespace relay::admin
