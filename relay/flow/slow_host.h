// What a Site remembers of a host that let us wait for nothing. Plain data; Hosts writes it.
#pragma once

#include "conf/vocab/time.h"

namespace relay {
class OutboundConnection;
}  // namespace relay

namespace relay::queue {

struct SlowHost {
  conf::Duration pause{0};                    // grows with each visit in a row
  conf::Instant since{};                      // visits begun before are of the same trouble
  conf::Instant until{};                      // not first choice before, but for its guest
  const OutboundConnection* guest = nullptr;  // goes to see whether it is well; compared, never followed
};

}  // namespace relay::queue
