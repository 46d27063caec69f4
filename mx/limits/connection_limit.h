// How many messages a receiver takes over one connection, found from where it refuses: when three refusals
// come after as many messages over their connection, another connection takes messages at once each time, and
// none takes more, that is the limit. It holds for an hour. A limit of the rate is met after any number of
// messages, and over new connections too. One thread; O(1).
#pragma once

#include <cstdint>

#include "conf/vocab/time.h"

namespace mx {

class ConnectionLimit {
 public:
  // A message, the nth over its connection.
  void taken(uint32_t nth) {
    if (nth > at_) met_ = 0;
    goes_on_ = true;
  }
  // After so many over its connection. True: the limit is known by that.
  bool refused(uint32_t after, conf::Instant now) {
    if (after == 0) met_ = 0;
    if (after == 0 || (after == at_ && !goes_on_)) return false;
    met_ = after == at_ ? met_ + 1 : 1;
    at_ = after;
    goes_on_ = false;
    if (met_ < kAlike) return false;
    limit_ = after;
    until_ = now + kHolds;
    met_ = 0;
    return true;
  }
  uint32_t most(conf::Instant now) const { return now < until_ ? limit_ : 0; }  // 0: any

 private:
  static constexpr uint32_t kAlike = 3;
  static constexpr conf::Duration kHolds = std::chrono::hours(1);

  uint32_t at_ = 0, met_ = 0;
  bool goes_on_ = false;  // something was taken since the refusal
  uint32_t limit_ = 0;
  conf::Instant until_ = conf::Instant::min();
};

}  // namespace mx
