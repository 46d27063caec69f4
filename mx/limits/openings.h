// How fast a receiver takes new connections while others are open, found from where it turns them away. One
// that comes while as many are open as it has ever served at a time may be one too many. Where it served
// more, it came too soon: then new connections have a pause, and the pace that is learned from their replies
// as that of messages is, and those that are open go on. It never keeps back the only one. One thread; O(1).
#pragma once

#include <algorithm>
#include <cstdint>

#include "conf/vocab/time.h"
#include "mx/limits/learned_pace.h"
#include "mx/limits/saved.h"

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
  // Known of the same receiver elsewhere: the slower pace of both, and what it was seen to hold.
  void at_most(const Openings& other) {
    pace_.at_most(other.pace_);
    held_ = std::max(held_, other.held_);
    capped_ = std::max(capped_, other.capped_);
  }

  // Without a pace there is nothing to keep: what it holds is seen anew.
  bool as_new(conf::Instant now) const { return pace_.as_new(now); }
  conf::Instant worth_until() const { return pace_.worth_until(); }
  // How many it was seen to hold is kept beside the pace: else the next one that comes too soon would be
  // taken for one too many. Those that are open end with the process.
  void save(SavedWriter* out) const {
    pace_.save(out);
    out->number(held_);
  }
  void restore(SavedReader* in) {
    pace_.restore(in);
    held_ = in->number32();
  }

 private:
  LearnedPace pace_;
  uint32_t served_ = 0;                          // of those that are open
  uint32_t held_ = 0;                            // the most of them since `capped_`
  conf::Instant capped_ = conf::Instant::min();  // the last time that it held no more
};

}  // namespace mx
