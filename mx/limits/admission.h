// The answer to "may this path connect, may this connection send": yes, or not before when, and what binds.
// Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "conf/vocab/time.h"

namespace mx {

// What keeps mail from going. In the order in which it is shown when several bind until the same instant.
enum class Bind : uint8_t {
  kNothing,
  kBlocked,        // the threshold tripped, or an operator blocked the destination
  kProbing,        // the block is over: a few probes go first
  kRamp,           // the probes passed: the flow rises step by step
  kSlowed,         // the receiver asked us to slow down
  kBackOff,        // the path failed lately
  kQuota,          // messages_per_hour
  kRate,           // rate
  kAdaptive,       // the learned rate
  kWarmUp,         // the step of the ladder that a new source stands on
  kConnections,    // max_connections
  kWindow,         // the concurrency that the feedback allows, below max_connections
  kPerConnection,  // max_messages_per_connection
  kTotal,          // max_outbound_connections of the whole relay
  kLease,          // the counters cannot be written to disk; see lease.h
};
const char* to_text(Bind bind);  // for people

struct Admission {
  bool yes = true;
  // When `yes` is false: the first instant at which it may be yes; kNever: when a connection or a transaction
  // of the same counters ends, whatever the clock says.
  conf::Instant not_before{};
  Bind bind = Bind::kNothing;

  static Admission no(Bind bind, conf::Instant not_before) { return {false, not_before, bind}; }
  // Both must allow: the later of two refusals.
  Admission also(const Admission& other) const {
    if (other.yes) return *this;
    if (yes || other.not_before > not_before) return other;
    return *this;
  }
};

}  // namespace mx
