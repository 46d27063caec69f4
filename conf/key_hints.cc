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
    ForeignKey{"egress_pool", "KumoMTA", "[[source]]"},
    ForeignKey{"egress_source", "KumoMTA", "[[source]]"},
    ForeignKey{"max_smtp_out", "PowerMTA", "max_connections"},
    ForeignKey{"max_msg_per_connection", "PowerMTA", "max_messages_per_connection"},
    ForeignKey{"max_msg_rate", "PowerMTA", "rate (in a [[rule]])"},
    ForeignKey{"max_rcpt_per_message", "PowerMTA", "max_recipients"},
    ForeignKey{"max_rcpt_per_transaction", "PowerMTA", "max_recipients"},
    ForeignKey{"bounce_after", "PowerMTA", "validity"},
    ForeignKey{"retry_after", "PowerMTA", "schedule"},
    ForeignKey{"virtual_mta", "PowerMTA", "[[source]]"},
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
    ForeignKey{"max_outbound_connections_per_domain", "Momentum", "max_connections"},
    ForeignKey{"max_resident_active_queue", "Momentum", "body_memory (in [spool])"},
    ForeignKey{"message_expiration", "Momentum", "validity"},
    ForeignKey{"maxsessionsperchild", "Campaign", "max_outbound_connections (at the top of the file)"},
    ForeignKey{"idlesessiontimeoutsec", "Campaign", "idle_timeout"},
};

constexpr std::array<std::string_view, 14> kOnlyInRules = {
    "messages_per_hour", "smooth",          "rate",        "burst",   "scope",
    "one_site",          "min_connections", "inherit",     "sources", "adaptive",
    "adaptive_min",      "adaptive_max",    "warmup_hold", "mx"};
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
  if (std::ranges::find(kOnlyInRules, name) != kOnlyInRules.end()) return " here; it is a key of [[rule]]";
  if (name == "threshold" || name == "thresholds")
    return "; thresholds of a rule are written as [[rule.threshold]]";
  const std::string near = nearest(name, known);
  return near.empty() ? "" : "; did you mean \"" + near + "\"?";
}

}  // namespace conf
