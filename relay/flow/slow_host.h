// What a Site remembers of a host that let us wait for nothing. Plain data; Hosts writes it.
#pragma once

#include "conf/vocab/time.h"

namespace relay::queue {

struct SlowHost {
  conf::Duration pause{0};  // grows with each visit in a row
  conf::Instant since{};    // silences begun before are of the same trouble
  conf::Instant until{};    // not first choice before, but for the one connection that went to see
};

}  // namespace relay::queue
