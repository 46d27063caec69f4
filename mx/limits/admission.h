// The answer to "may this path connect, may this connection send": yes, or not before when, and what binds.
// Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "conf/vocab/event.h"
#include "conf/vocab/time.h"

namespace mx {

using conf::Bind;
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

// How many messages may begin at once, and what allows no more.
struct Room {
  uint32_t messages = UINT32_MAX;
  Bind bind = Bind::kNothing;
};

}  // namespace mx
