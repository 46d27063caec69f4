#include "relay/host/silent_mistakes.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "relay/host/reach_mistakes.h"
#include "relay/host/rule_protection.h"
#include "relay/host/stream_mistakes.h"

namespace relay {
namespace {

using conf::Problem;
using Problems = std::vector<Problem>;

constexpr size_t kRulesNamed = 6;  // in a warning

void warn(const std::string& file, int line, int column, std::string message, Problems* out) {
  out->push_back({file, line, column, std::move(message), true});
}

// "gmail.com" is where people write to; its mail goes to hosts with other names.
bool looks_like_recipient_domain(std::string_view mask) {
  return mask.find_first_of("*?") == std::string_view::npos && std::ranges::count(mask, '.') == 1;
}

void check_masks(const conf::MxRule& rule, Problems* out) {
  for (const conf::RuleMask& mask : rule.mx) {
    if (!looks_like_recipient_domain(mask.glob)) continue;
    warn(rule.file, mask.line == 0 ? rule.line : mask.line, mask.column,
         "mx = [\"" + mask.glob + "\"] matches an MX host of exactly this name; for mail to addresses at " +
             mask.glob + " write domains = [\"" + mask.glob + "\"], for all hosts below it mx = [\"*." +
             mask.glob + "\"]",
         out);
  }
}

void check_sources_of(const conf::MxRule& written, const mx::Rule& rule, const conf::Config& config,
                      Problems* out) {
  const auto meant = [&rule](const conf::Source& source) { return rule.sources.contains(source.id); };
  if (!written.sources.empty() && std::ranges::none_of(config.sources, meant)) {
    warn(written.file, written.sources_line == 0 ? written.line : written.sources_line,
         written.sources_column,
         "sources = \"" + written.sources +
             "\": there is no source with such an id, so the rule matches nothing",
         out);
  }
}

void check_templates(const conf::Config& config, Problems* out) {
  for (const conf::MxRule& rule : config.rules) {
    if (rule.shipped || !rule.mx.empty() || !rule.domains.empty()) continue;
    const bool used = std::ranges::any_of(
        config.rules, [&rule](const conf::MxRule& other) { return other.inherit == rule.name; });
    if (used) continue;
    warn(rule.file, rule.line, rule.column,
         "rule \"" + rule.name + "\" has neither mx nor domains and no rule inherits it: it has no effect",
         out);
  }
}

// Of [defaults], or of the [[destination]] that begins at this line: the key stands in one of both.
void check_retry(const conf::Config& config, const conf::DestinationSettings& settings, const std::string& of,
                 int table, const conf::ConfigWords& words, Problems* out) {
  const auto place = [&](const char* key) {
    const int line = words.find(table, key).line;
    return line != 0 ? line : std::max(words.find(words.line_of("[defaults]"), key).line, 1);
  };
  const conf::RetrySchedule& retry = settings.retry;
  if (!retry.delays.empty() && retry.delays.front() >= retry.validity)
    warn(config.file, place("validity"), 1,
         of + " validity is over before the first wait of schedule: mail gets one attempt only", out);
  const auto stands = [&words](int in, const char* key) { return words.find(in, key).line != 0; };
  const bool written =  // here, or for all, where it meets a validity that is written here
      stands(table, "delay_report_after") ||
      (stands(table, "validity") && stands(words.line_of("[defaults]"), "delay_report_after"));
  if (written && settings.delay_report_after.count() > 0 && settings.delay_report_after >= retry.validity)
    warn(config.file, place("delay_report_after"), 1,
         of + " delay_report_after is not below validity: mail expires before its delay is reported", out);
}

// A destination cannot raise what a rule limits.
void check_against_rules(const conf::Config& config, const conf::Destination& destination,
                         const mx::RuleBook& book, Problems* out) {
  if (destination.settings.max_connections <= config.defaults.max_connections) return;
  std::string lower;
  size_t more = 0, named = 0;
  for (const mx::RulePtr& rule : book.rules()) {
    const mx::RuleValue<uint32_t>& limit = rule->values.max_connections;
    if (!rule->shipped || rule->mx.empty() || !limit.set ||
        limit.value >= destination.settings.max_connections)
      continue;
    if (++named > kRulesNamed) {
      ++more;
    } else {
      lower += (lower.empty() ? "" : ", ") + rule->name + " " + std::to_string(limit.value);
    }
  }
  if (more > 0) lower += " and " + std::to_string(more) + " more";
  if (lower.empty() || !destination.settings.smart_hosts.empty()) return;
  warn(config.file, destination.line, 1,
       "[[destination]] \"" + destination.name +
           "\" max_connections = " + std::to_string(destination.settings.max_connections) +
           " does not hold where the MX hosts fall under a shipped rule with less (" + lower +
           "); a [[rule]] with domains and inherit can raise it",
       out);
}

// Verified TLS of a destination stands above the `tls` of every rule: the operator's own rule is told so.
void check_tls_of_rules(const conf::Config& config, const mx::Rule& rule, Problems* out) {
  if (!rule.values.tls.set || rule.values.tls.value == conf::TlsMode::kRequired) return;
  std::string kept = config.defaults.tls_verify ? "[defaults]" : "";
  for (const conf::Destination& destination : config.destinations) {
    if (destination.settings.tls_verify && kept.empty())
      kept = "[[destination]] \"" + destination.name + "\"";
  }
  if (kept.empty()) return;
  warn(rule.file, rule.line, 1,
       "rule \"" + rule.name + "\": its tls does not hold for " + kept +
           ", which demands verified TLS (tls_verify): mail there waits until the handshake is good",
       out);
}

// A header field comes after RCPT: where recipients in quarantine are refused there, it opens nothing.
void check_quarantine(const conf::Config& config, Problems* out) {
  const conf::QuarantineSettings& quarantine = config.quarantine;
  const bool meant = quarantine.action != conf::QuarantineSettings().action ||
                     !quarantine.bypass_users.empty() || !quarantine.bypass_header.empty() ||
                     config.outage_guard != conf::OutageGuardSettings();
  if (!quarantine.enabled && meant)
    warn(config.file, 1, 1, "[quarantine] enabled = false: its other keys and [outage_guard] do nothing",
         out);
  if (!quarantine.enabled || quarantine.bypass_header.empty()) return;
  for (const conf::Listener& listener : config.listeners) {
    if (listener.quarantine != conf::QuarantineAction::kRefuse) continue;
    warn(config.file, 1, 1,
         "[quarantine] bypass_header: the listener \"" + listener.name +
             "\" refuses addresses in quarantine at RCPT, before it can see a header; it wants quarantine = "
             "\"report\" or \"log\" there, or bypass_users",
         out);
  }
}

// Nobody's own Message-ID is replaced, so a token comes into one only where the relay adds it.
void check_message_id(const conf::Config& config, const conf::ConfigWords& words, Problems* out) {
  if (!config.returns.message_id) return;
  const auto signs = [](const conf::ReturnPathSettings& path) { return path.verp != conf::VerpGrade::kOff; };
  const auto adds = [](const conf::Listener& listener) {
    return listener.add_missing_headers && listener.role != conf::ListenerRole::kBounce;
  };
  const bool signed_mail = std::ranges::any_of(config.returns.paths, signs);
  if (signed_mail && std::ranges::any_of(config.listeners, adds)) return;
  warn(config.file, std::max(words.find(words.line_of("[returns]"), "message_id").line, 1), 1,
       std::string("[returns] message_id does nothing: ") +
           (signed_mail ? "no [[listener]] has add_missing_headers" : "no [[return_path]] signs mail"),
       out);
}

}  // namespace

std::vector<Problem> silent_mistakes(const conf::Config& config, const mx::RuleBook& book,
                                     const conf::ConfigWords& words) {
  Problems out;
  for (const conf::MxRule& written : config.rules) {
    if (written.shipped) continue;
    check_masks(written, &out);
    const mx::RulePtr rule = book.named(written.name);
    if (rule == nullptr || rule->is_template()) continue;
    check_sources_of(written, *rule, config, &out);
    check_tls_of_rules(config, *rule, &out);
    check_protection(*rule, book, &out);
  }
  check_ladders(config, book, &out);
  check_templates(config, &out);
  add_stream_mistakes(config, &out);
  check_quarantine(config, &out);
  check_message_id(config, words, &out);
  add_reach_mistakes(config, book, words, &out);
  check_retry(config, config.defaults, "[defaults]", words.line_of("[defaults]"), words, &out);
  for (const conf::Destination& destination : config.destinations) {
    if (destination.settings.retry.validity != config.defaults.retry.validity ||
        destination.settings.retry.delays != config.defaults.retry.delays ||
        destination.settings.delay_report_after != config.defaults.delay_report_after) {
      check_retry(config, destination.settings, "[[destination]] \"" + destination.name + "\"",
                  destination.line, words, &out);
    }
    check_against_rules(config, destination, book, &out);
  }
  return out;
}

}  // namespace relay
