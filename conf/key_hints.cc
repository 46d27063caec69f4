#include "conf/key_hints.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "conf/vocab/ascii.h"
#include "conf/vocab/spelling.h"

namespace conf {
namespace {

struct ForeignKey {
  std::string_view name;  // '-' and '_' are one
  std::string_view system;
  std::string_view ours;
};

// From the documentation of each system, by the meaning of the setting.
constexpr std::array kForeignKeys = {
    ForeignKey{"connection_limit", "KumoMTA", "max_connections"},
    ForeignKey{"max_deliveries_per_connection", "KumoMTA", "max_messages_per_connection"},
    ForeignKey{"max_message_rate", "KumoMTA", "rate (in a [[rule]])"},
    ForeignKey{"max_connection_rate", "KumoMTA", "rate (in a [[rule]])"},
    ForeignKey{"max_age", "KumoMTA", "validity"},
    ForeignKey{"retry_interval", "KumoMTA", "schedule"},
    ForeignKey{"max_retry_interval", "KumoMTA", "schedule"},
    ForeignKey{"enable_tls", "KumoMTA", "tls"},
    ForeignKey{"egress_pool", "KumoMTA", "[[stream]] with sources"},
    ForeignKey{"egress_source", "KumoMTA", "[[source]]"},
    ForeignKey{"max_smtp_out", "PowerMTA", "max_connections"},
    ForeignKey{"max_msg_per_connection", "PowerMTA", "max_messages_per_connection"},
    ForeignKey{"max_msg_rate", "PowerMTA", "rate (in a [[rule]])"},
    ForeignKey{"max_rcpt_per_message", "PowerMTA", "max_recipients"},
    ForeignKey{"max_rcpt_per_transaction", "PowerMTA", "max_recipients"},
    ForeignKey{"bounce_after", "PowerMTA", "validity"},
    ForeignKey{"retry_after", "PowerMTA", "schedule"},
    ForeignKey{"virtual_mta", "PowerMTA",
               "[[source]], with a [[stream]] that says whose mail leaves from it,"},
    ForeignKey{"smtp_source_host", "PowerMTA", "[[source]] with address and ehlo"},
    ForeignKey{"smtp_helo_name", "Postfix", "ehlo (in a [[source]])"},
    ForeignKey{"ehlo_domain", "KumoMTA", "ehlo (in a [[source]])"},
    ForeignKey{"source_address", "KumoMTA", "address (in a [[source]])"},
    ForeignKey{"max_ready", "KumoMTA", "body_memory (in [spool])"},
    ForeignKey{"relay_hosts", "KumoMTA", "relay_from (in a [[listener]])"},
    ForeignKey{"always_allow_relaying", "PowerMTA", "relay_from (in a [[listener]])"},
    ForeignKey{"smtp_hosts", "PowerMTA", "smart_hosts (in a [[destination]])"},
    ForeignKey{"queue_lifetime", "Postfix", "validity"},
    ForeignKey{"use_starttls", "PowerMTA", "tls"},
    ForeignKey{"require_starttls", "PowerMTA", "tls = \"required\""},
    ForeignKey{"smtp_listener", "PowerMTA", "[[listener]]"},
    ForeignKey{"smtp_destination_concurrency_limit", "Postfix", "max_connections"},
    ForeignKey{"default_destination_concurrency_limit", "Postfix", "max_connections"},
    ForeignKey{"smtp_destination_rate_delay", "Postfix", "rate (in a [[rule]])"},
    ForeignKey{"default_destination_rate_delay", "Postfix", "rate (in a [[rule]])"},
    ForeignKey{"smtp_destination_recipient_limit", "Postfix", "max_recipients"},
    ForeignKey{"maximal_queue_lifetime", "Postfix", "validity"},
    ForeignKey{"bounce_queue_lifetime", "Postfix", "validity"},
    ForeignKey{"minimal_backoff_time", "Postfix", "schedule"},
    ForeignKey{"maximal_backoff_time", "Postfix", "schedule"},
    ForeignKey{"myhostname", "Postfix", "hostname (at the top of the file)"},
    ForeignKey{"mynetworks", "Postfix", "relay_from (in a [[listener]])"},
    ForeignKey{"relayhost", "Postfix", "smart_hosts (in a [[destination]] with domains = [\"*\"])"},
    ForeignKey{"smtp_sasl_auth_enable", "Postfix", "login (in a [[destination]]) with a [[login]]"},
    ForeignKey{"smtp_sasl_password_maps", "Postfix", "[[login]] with user and file"},
    ForeignKey{"smtp_tls_wrappermode", "Postfix", "implicit_tls"},
    ForeignKey{"message_size_limit", "Postfix", "max_message_size (in a [[listener]])"},
    ForeignKey{"smtpd_client_connection_count_limit", "Postfix", "max_connections_per_client"},
    ForeignKey{"smtp_tls_security_level", "Postfix", "tls"},
    ForeignKey{"smtp_bind_address", "Postfix", "[[source]] with address"},
    ForeignKey{"queue_directory", "Postfix", "path (in [spool])"},
    ForeignKey{"default_destination_recipient_limit", "Postfix", "max_recipients"},
    ForeignKey{"transport_maps", "Postfix", "[[destination]] with domains and smart_hosts"},
    ForeignKey{"mx_rollup", "PowerMTA", "one_site (in a [[rule]] with mx)"},
    ForeignKey{"backoff_retry_after", "PowerMTA", "schedule"},
    ForeignKey{"auto_cold_virtual_mta", "PowerMTA", "warmup (in a [[source]])"},
    ForeignKey{"max_outbound_connections_per_domain", "Momentum", "max_connections"},
    ForeignKey{"max_resident_active_queue", "Momentum", "body_memory (in [spool])"},
    ForeignKey{"message_expiration", "Momentum", "validity"},
    ForeignKey{"maxsessionsperchild", "Campaign", "max_outbound_connections (at the top of the file)"},
    ForeignKey{"idlesessiontimeoutsec", "Campaign", "idle_timeout"},
    ForeignKey{"smtp_tls_cafile", "Postfix", "ca_file (in [tls])"},
    ForeignKey{"smtpd_tls_cert_file", "Postfix", "certificate (in [tls])"},
    ForeignKey{"smtpd_tls_key_file", "Postfix", "key (in [tls])"},
    ForeignKey{"inet_interfaces", "Postfix", "address (in a [[listener]])"},
    ForeignKey{"default_process_limit", "Postfix", "max_outbound_connections (at the top of the file)"},
};

constexpr std::array<std::string_view, 14> kOnlyInRules = {
    "messages_per_hour", "smooth",          "rate",        "burst",   "scope",
    "one_site",          "min_connections", "inherit",     "sources", "adaptive",
    "adaptive_min",      "adaptive_max",    "warmup_hold", "mx"};
constexpr std::array<std::string_view, 6> kOnlyInThresholds = {"error_rate",   "min_messages", "window",
                                                               "min_duration", "first_probe",  "block"};
constexpr std::array<std::string_view, 6> kAtTheTop = {
    "hostname", "run_as", "postmaster", "max_outbound_connections", "shutdown_deadline", "shipped_rules"};

std::string folded(std::string_view key) {
  std::string name;
  for (const char c : key) {
    if (c == '-') {
      name += '_';
    } else {
      name += ascii_lower(c);
    }
  }
  return name;
}

// What people call it who never read the name; taken where the key is one.
struct OtherWord {
  std::string_view word, key, how;
};
constexpr std::array kOtherWords = {
    OtherWord{"port", "address", "address, with the port in it (\"127.0.0.1:25\")"},
    OtherWord{"listen", "address", "address"},
    OtherWord{"host", "address", "address"},
    OtherWord{"ip", "address", "address"},
    OtherWord{"interface", "address", "address"},
    OtherWord{"bind", "address", "address"},
    OtherWord{"directory", "path", "path"},
    OtherWord{"dir", "path", "path"},
    OtherWord{"file", "path", "path"},
    OtherWord{"lifetime", "validity", "validity"},
    OtherWord{"max_queue_lifetime", "validity", "validity"},
    OtherWord{"expire_after", "validity", "validity"},
    OtherWord{"retry", "schedule", "schedule"},
    OtherWord{"retries", "schedule", "schedule"},
    OtherWord{"concurrency", "max_connections", "max_connections"},
    OtherWord{"connections", "max_connections", "max_connections"},
    OtherWord{"password", "secret", "secret, a hash that `penstock hash-password` makes"},
    OtherWord{"username", "name", "name"},
    OtherWord{"cert", "certificate", "certificate"},
    OtherWord{"helo", "ehlo", "ehlo"},
};

std::string of_other_words(const std::string& name, const std::vector<std::string>& known) {
  for (const OtherWord& each : kOtherWords) {
    if (each.word == name && std::ranges::find(known, each.key) != known.end()) return std::string(each.how);
  }
  return "";
}

}  // namespace

std::string hint_for_key(const std::string& key, const std::vector<std::string>& known) {
  const std::string name = folded(key);
  for (const ForeignKey& foreign : kForeignKeys) {
    if (foreign.name == name) {
      return "; what " + std::string(foreign.system) + " calls so is " + std::string(foreign.ours) + " here";
    }
  }
  if (std::ranges::find(kAtTheTop, name) != kAtTheTop.end()) {
    return " here; it belongs to the top of penstock.toml, before the first [table]";
  }
  const bool of_rule = std::ranges::find(known, "mx") != known.end();
  if (of_rule && std::ranges::find(kOnlyInThresholds, name) != kOnlyInThresholds.end())
    return " here; it is a key of [[rule.threshold]]";
  if (std::ranges::find(kOnlyInRules, name) != kOnlyInRules.end()) return " here; it is a key of [[rule]]";
  if (name == "threshold" || name == "thresholds")
    return "; thresholds of a rule are written as [[rule.threshold]]";
  if (const std::string ours = of_other_words(name, known); !ours.empty())
    return "; it is called " + ours + " here";
  const std::string near = nearest(name, known);
  return near.empty() ? "" : "; did you mean \"" + near + "\"?";
}

}  // namespace conf
