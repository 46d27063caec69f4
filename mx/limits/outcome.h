// What became of one recipient of an attempt, in the words that the limiter needs.
#pragma once

#include <cstdint>
#include <string_view>

#include "conf/vocab/reason.h"
#include "conf/vocab/refusal.h"

namespace mx {

struct Outcome {
  enum class Kind : uint8_t { kAccepted, kHard, kSoft, kIgnored };
  Kind kind = Kind::kAccepted;
  bool sender_scope = false;     // refused because of us: reputation, policy, throttling, their system
  bool recipient_scope = false;  // refused because of the address
  bool throttling = false;       // it asked us to slow down
  conf::Reason reason = conf::Reason::kNotDefined;
  std::string_view reply;  // for the evidence; borrowed for the call
};

// What a refusal is for the limiter: the only place that decides what type, scope and pace mean for
// thresholds. `local`: the trouble is our own.
Outcome refusal(conf::ErrorType type, conf::Scope scope, conf::Pace pace, bool local, std::string_view reply);

}  // namespace mx
