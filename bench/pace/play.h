// A sender that has mail at all times, a control and a receiver, in virtual time.
#pragma once

#include "bench/pace/control.h"
#include "bench/pace/receiver.h"

namespace pace {

struct Seen {
  double share = 0;       // of what could be had, in the steady state
  double refused = 0;     // for 100 messages taken, in it
  uint32_t storm = 0;     // most refusals in ten seconds, in it
  uint32_t at_first = 0;  // the same before it
  bool good() const { return share >= 0.9 && refused < 2; }
};

// Forty minutes, or sixteen windows when that is more. The steady state begins after ten minutes, or four
// windows when that is more.
Seen play(const Hidden& hidden, uint64_t seed, Control* control);

}  // namespace pace
