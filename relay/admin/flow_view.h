// What goes over a path, for people.
#pragma once

#include <cstdint>

#include "conf/mx_rule.h"
#include "conf/vocab/event.h"

namespace relay::admin {

// What became of recipients in the last minute, by the replies; what was not tried is not counted.
struct FlowView {
  uint64_t delivered = 0;
  uint64_t deferred = 0;  // will be tried again, or its time is over
  uint64_t refused = 0;   // for good
  bool nothing() const { return delivered == 0 && deferred == 0 && refused == 0; }
};

// The tightest limit on the pace of a path.
struct AllowedFlow {
  double per_minute = 0;                             // messages; 0: nothing limits it
  conf::Bind by = conf::Bind::kNothing;              // kRate, kQuota, kAdaptive or kWarmUp
  conf::RuleScope scope = conf::RuleScope::kSource;  // whose messages are counted together
};

}  // namespace relay::admin
