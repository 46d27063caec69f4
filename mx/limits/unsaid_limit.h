// Whether deferrals that name no cause ("450 4.3.2 Please try again later") come of a limit. The words do not
// tell, what the receiver does may: messages are taken, then one after the other is deferred; after a pause
// some are taken again, and soon the next ones are deferred, with few deferrals between, and then all this
// once more. A host that is sick once does not do that, and one that refuses at random has more of them
// between. What is known holds for an hour after the latest deferral. One thread; O(1).
#pragma once

#include <algorithm>
#include <cstdint>

#include "conf/vocab/time.h"

namespace mx {

class UnsaidLimit {
 public:
  void taken(conf::Instant now) {
    if (in_a_row_ >= kRow) {
      again_ = now;
      taken_ = single_ = 0;
    } else if (in_a_row_ > 0) {
      single_ = std::min<uint32_t>(single_ + 1, UINT16_MAX);
    }
    in_a_row_ = 0;
    taken_ = std::min<uint32_t>(taken_ + 1, UINT16_MAX);
  }
  // True: by a limit, as far as is known.
  bool deferred(conf::Instant now) {
    in_a_row_ = std::min<uint8_t>(in_a_row_ + 1, kRow + 1);
    if (in_a_row_ == kRow) alike_ = is_like_a_limit(now) ? alike_ + 1 : 0;
    if (in_a_row_ == kRow && alike_ >= kAlike) until_ = now + kHolds;
    if (until_ <= now) return false;
    until_ = now + kHolds;
    return true;
  }

 private:
  static constexpr uint8_t kRow = 3;
  static constexpr uint32_t kAlike = 2;
  static constexpr uint32_t kEnough = 4;  // messages between two rows
  // Of the transactions that are under way when a row begins some are taken later than others are deferred.
  static constexpr uint32_t kSeldom = 10, kMostStray = 4;
  static constexpr conf::Duration kSoon = std::chrono::minutes(10);
  static constexpr conf::Duration kHolds = std::chrono::hours(1);

  bool is_like_a_limit(conf::Instant now) const {
    return again_ != conf::Instant::min() && now - again_ <= kSoon && taken_ >= kEnough &&
           single_ <= std::min(taken_ / kSeldom, kMostStray);
  }

  conf::Instant again_ = conf::Instant::min();  // messages are taken, after a row
  conf::Instant until_ = conf::Instant::min();
  uint32_t taken_ = 0, single_ = 0;  // since then: messages, and deferrals that made no row
  uint32_t alike_ = 0;               // rows one after the other that began as at a limit
  uint8_t in_a_row_ = 0;
};

}  // namespace mx
