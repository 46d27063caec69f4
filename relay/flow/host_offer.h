// What a host of a site offered when that was too little for a message. Another message may fit. Plain data
// of Site.
#pragma once

#include <cstdint>

#include "conf/vocab/time.h"

namespace relay::queue {

struct HostOffer {
  uint64_t max_size = 0;   // RFC 1870; 0: no limit
  bool eight_bit = false;  // RFC 6152
  bool utf8 = false;       // RFC 6531
  conf::Instant until{};   // asked anew after that
};

}  // namespace relay::queue
