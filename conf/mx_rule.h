// MX rules as written: what the parser fills and mx::RuleBook reads. Plain data; nothing is checked here but
// what the types hold. Every value knows its line, for the messages of `check` and for `explain`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/destination.h"
#include "conf/rule_threshold.h"
#include "conf/vocab/time.h"

namespace conf {

// Whose messages and connections are counted together. The site is one set of MX hosts, or with `one_site`
// all sites that the rule covers.
enum class RuleScope : uint8_t {
  kPath,    // each source to each remote address by itself
  kSource,  // each source to the site, all its addresses together: the default
  kPool,    // all sources together to the site
};

struct RuleRate {  // rate = "100/min", burst = 20
  uint64_t events = 0;
  Duration per{0};
  uint32_t burst = 1;  // so many may go at once
};

enum class AdaptiveMode : uint8_t { kOff, kAdvise, kOn };

// A value of a rule, or none, or "unset": the parent's value shall not be inherited.
template <typename T>
struct RuleField {
  enum class State : uint8_t { kInherited, kSet, kUnset };
  State state = State::kInherited;
  T value{};
  int line = 0, column = 1;
  static RuleField set(T value, int line = 0, int column = 1) {
    return {State::kSet, std::move(value), line, column};
  }
  static RuleField unset(int line = 0, int column = 1) { return {State::kUnset, {}, line, column}; }
};

// `Field` is RuleField as written, mx::RuleValue once resolved. What no rule sets the destination says.
template <template <typename> class Field>
struct RuleFields {
  Field<RuleScope> scope;                        // scope = "path" | "source" | "pool"
  Field<bool> one_site;                          // one_site: what the rule covers is one receiver
  Field<uint32_t> max_connections;               // max_connections
  Field<uint32_t> min_connections;               // min_connections: the feedback never goes below
  Field<uint32_t> max_messages_per_connection;   // max_messages_per_connection
  Field<uint32_t> messages_per_hour;             // messages_per_hour
  Field<bool> smooth;                            // smooth: spread the hour evenly, not in slices
  Field<RuleRate> rate;                          // rate and burst
  Field<uint32_t> max_recipients;                // max_recipients of a transaction
  Field<Duration> connect_timeout;               // connect_timeout
  Field<Duration> dot_timeout;                   // dot_timeout: final dot until its reply
  Field<Duration> timeout;                       // timeout: every other exchange
  Field<TlsMode> tls;                            // tls
  Field<std::vector<SmartHost>> smart_hosts;     // smart_hosts
  Field<TlsStart> implicit_tls;                  // implicit_tls
  Field<TlsVersion> tls_min;                     // tls_min
  Field<std::string> login;                      // login: goes with the smart hosts of the rule
  Field<std::vector<Duration>> schedule;         // schedule
  Field<Duration> validity;                      // validity
  Field<double> jitter;                          // jitter
  Field<std::vector<RuleThreshold>> thresholds;  // all of the rule's, or all of the parent's
  Field<AdaptiveMode> adaptive;                  // adaptive = "off" | "advise" | "on"
  Field<uint32_t> adaptive_min_per_hour;         // adaptive_min: learned rates stay above
  Field<uint32_t> adaptive_max_per_hour;         // adaptive_max: and below
  Field<std::vector<uint32_t>> warmup;           // warmup = [50, 100, 500]: messages a day of a new source
  Field<double> warmup_hold;                     // warmup_hold: the share of deferrals that holds the step
};

// Calls use(key, field of a, field of b) for each value.
template <typename A, typename B, typename Use>
void for_each_field(A&& a, B&& b, Use&& use) {
  use("scope", a.scope, b.scope);
  use("one_site", a.one_site, b.one_site);
  use("max_connections", a.max_connections, b.max_connections);
  use("min_connections", a.min_connections, b.min_connections);
  use("max_messages_per_connection", a.max_messages_per_connection, b.max_messages_per_connection);
  use("messages_per_hour", a.messages_per_hour, b.messages_per_hour);
  use("smooth", a.smooth, b.smooth);
  use("rate", a.rate, b.rate);
  use("max_recipients", a.max_recipients, b.max_recipients);
  use("connect_timeout", a.connect_timeout, b.connect_timeout);
  use("dot_timeout", a.dot_timeout, b.dot_timeout);
  use("timeout", a.timeout, b.timeout);
  use("tls", a.tls, b.tls);
  use("smart_hosts", a.smart_hosts, b.smart_hosts);
  use("implicit_tls", a.implicit_tls, b.implicit_tls);
  use("tls_min", a.tls_min, b.tls_min);
  use("login", a.login, b.login);
  use("schedule", a.schedule, b.schedule);
  use("validity", a.validity, b.validity);
  use("jitter", a.jitter, b.jitter);
  use("threshold", a.thresholds, b.thresholds);
  use("adaptive", a.adaptive, b.adaptive);
  use("adaptive_min", a.adaptive_min_per_hour, b.adaptive_min_per_hour);
  use("adaptive_max", a.adaptive_max_per_hour, b.adaptive_max_per_hour);
  use("warmup", a.warmup, b.warmup);
  use("warmup_hold", a.warmup_hold, b.warmup_hold);
}

struct RuleMask {
  std::string glob;  // '*' any run, '?' one character; ASCII, any case
  int line = 0, column = 1;
};

struct MxRule {      // [[rule]]
  std::string name;  // name
  std::string file;  // where it is written, with its first line
  int line = 0;
  int column = 1;
  bool shipped = false;           // from mx/rules/shipped.toml; those come after the local ones
  std::vector<RuleMask> mx;       // mx: masks on the names of MX hosts
  std::vector<RuleMask> domains;  // domains: masks on the recipient domain; with mx too: both must match
  std::string sources;            // sources = "1-5, 7, 9-": identifiers of sources; empty: all
  int sources_line = 0;
  int sources_column = 1;
  std::string inherit;  // inherit: the name of another rule; "": none
  int inherit_line = 0;
  int inherit_column = 1;
  RuleFields<RuleField> fields;
};

}  // namespace conf
