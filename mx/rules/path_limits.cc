#include "mx/rules/path_limits.h"

#include <algorithm>
#include <cmath>

namespace mx {

namespace {

// `unlimited_zero`: 0 in the settings of the destination is no limit.
uint32_t limit_of(const RuleValue<uint32_t>& value, uint32_t base, bool unlimited_zero) {
  if (!value.set) return base;
  if (!value.origin.shipped || (unlimited_zero && base == 0)) return value.value;
  return std::min(value.value, base);
}

template <typename T>
void take(const RuleValue<T>& value, T* out) {
  if (value.set) *out = value.value;
}

void take_timeouts(const conf::RuleFields<RuleValue>& values, conf::Timeouts* out) {
  take(values.connect_timeout, &out->connect);
  take(values.dot_timeout, &out->data_done);
  for (conf::Duration* each :
       {&out->greeting, &out->ehlo, &out->tls, &out->mail, &out->rcpt, &out->data_init, &out->data_block})
    take(values.timeout, each);
}

}  // namespace

PathLimits limits_for(const Rule* rule, const conf::DestinationSettings& base, bool new_source) {
  PathLimits out;
  const conf::DestinationSettings settings = settings_with(rule, base);
  out.max_connections = settings.max_connections;
  out.max_messages_per_connection = settings.max_messages_per_connection;
  if (rule == nullptr) return out;
  const conf::RuleFields<RuleValue>& values = rule->values;
  take(values.scope, &out.scope);
  take(values.one_site, &out.one_site);
  take(values.min_connections, &out.min_connections);
  out.min_connections = std::min(out.min_connections, out.max_connections);
  take(values.messages_per_hour, &out.messages_per_hour);
  take(values.smooth, &out.smooth);
  take(values.rate, &out.rate);
  take(values.thresholds, &out.thresholds);
  take(values.adaptive, &out.adaptive);
  take(values.adaptive_min_per_hour, &out.adaptive_min_per_hour);
  take(values.adaptive_max_per_hour, &out.adaptive_max_per_hour);
  if (new_source) take(values.warmup, &out.warmup);
  if (values.warmup_hold.set)
    out.warmup_hold_ppm = static_cast<uint32_t>(std::llround(values.warmup_hold.value * 1e6));
  return out;
}

conf::DestinationSettings settings_with(const Rule* rule, const conf::DestinationSettings& base) {
  conf::DestinationSettings out = base;
  if (rule == nullptr) return out;
  const conf::RuleFields<RuleValue>& values = rule->values;
  out.max_connections = limit_of(values.max_connections, base.max_connections, false);
  out.max_messages_per_connection =
      limit_of(values.max_messages_per_connection, base.max_messages_per_connection, true);
  out.max_recipients_per_transaction =
      limit_of(values.max_recipients, base.max_recipients_per_transaction, false);
  take_timeouts(values, &out.timeouts);
  // A destination that wants a verified peer gets one: no rule talks it down, and no shipped rule weakens it.
  const bool weaker = values.tls.set && values.tls.value < base.tls;
  if (!weaker || !(base.tls_verify || values.tls.origin.shipped)) take(values.tls, &out.tls);
  if (values.smart_hosts.set) out.peer.login.clear();  // a secret is for the hosts it was written for
  take(values.smart_hosts, &out.smart_hosts);
  take(values.login, &out.peer.login);
  take(values.implicit_tls, &out.peer.tls_start);
  take(values.tls_min, &out.peer.tls_min);
  out.peer.tls_min = std::max(out.peer.tls_min, base.peer.tls_min);
  if (values.schedule.set) out.retry.write(values.schedule.value);
  take(values.validity, &out.retry.validity);
  take(values.jitter, &out.retry.jitter);
  return out;
}

}  // namespace mx
