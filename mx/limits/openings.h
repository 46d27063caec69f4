// How fast a receiver takes new connections while others are open, found from where it turns them away. One
// that comes while as many are open as it has ever served at a time may be one too many. Where it served
// more, it came too soon: then new connections have a pause, and the pace that is learned from their replies
// as that of messages is, and those that are open go on. It never keeps back the only one. One thread; O(1).
#pragma once

#include <algorithm>
#include <cstdint>

#include "conf/vocab/time.h"
#include "mx/limits/learned_pace.h"

namespace mx {

class Openings {
 public:
  void opened(conf::Instant now) { pace_.charge(now); }
  // The first message over one of them was taken, in a transaction that began then.
  void served(conf::Instant now, conf::Instant begun) {
    held_ = std::max(held_, ++served_);
    pace_.taken(now, begun);
  }
  void served_one_closed() { served_ -= served_ > 0 ? 1 : 0; }
  // One that was begun then was turned away while so many others were open. True: it came too soon; false:
  // the receiver holds no more than the others.
  bool turned_away(conf::Instant now, conf::Instant begun, uint32_t others) {
    if (others < held_ && begun > capped_) {
      pace_.asked(now, begun);
      return true;
    }
    held_ = others;
    capped_ = now;
    return false;
  }
  // When one more may be opened beside the others; not later than `now`: at once.
  conf::Instant not_before(conf::Instant now) const {
    return std::max(pace_.paused_until(), pace_.not_before(now));
  }
  void reset() {
    pace_.reset();
    held_ = 0;
    capped_ = conf::Instant::min();
  }

 private:
  LearnedPace pace_;
  uint32_t served_ = 0;                          // of those that are open
  uint32_t held_ = 0;                            // the most of them since `capped_`
  conf::Instant capped_ = conf::Instant::min();  // the last time that it held no more
};

}  // namespace mx
