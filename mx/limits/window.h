// How many connections the replies of a destination allow: between a floor and the limit of the rule, moved
// by feedback. The idea is that of Postfix's SCHEDULER_README (fractional feedback and hysteresis).
//
//   begin        window = min(5, limit), not below the floor
//   opening      credit += 1 / 4         for each accepted message, until something was refused
//   taken        credit += 1 / window    for each one after that
//   trouble      credit -= 1 / window    for each connection refused, timed out or lost
//   step         credit >=  1:  window + 1, credit = 0
//                credit <= -1:  window - 1, credit = 0
//   cap          window = what the receiver holds, when it turned away one more; the next one beyond it is
//                opened after 200 messages, and if it is taken, the window goes on as ever
//   throttled    window = min(window x 3/4, window - 1), credit = 0; at once, but once a second at most:
//                the replies to what was in flight are one event
//
// A new window opens by a connection for four messages, a quarter of itself in each round of them: from 5 to
// 100 with 380. After the first trouble, pause or cap a whole window's worth of feedback is needed for a
// step, whichever way (a few stray failures move nothing, and a step is not taken back by the next reply),
// and the window grows like the square root of the messages taken: from 5 to 20 with 5 + 6 + ... + 19 = 180
// of them. One thread; O(1).
#pragma once

#include <algorithm>
#include <cstdint>

#include "conf/vocab/time.h"
#include "mx/limits/saved.h"

namespace mx {

class Window {
 public:
  static constexpr uint32_t kBegin = 5;
  static constexpr conf::Duration kOneEvent = std::chrono::seconds(1);

  Window(uint32_t floor, uint32_t limit) { set(floor, limit), reset(); }
  // New bounds; the window moves no further than they force it to. A floor above the limit is the limit.
  void set(uint32_t floor, uint32_t limit);
  void reset();  // as at the begin

  uint32_t now() const { return window_; }
  uint32_t limit() const { return limit_; }
  bool as_new() const;  // where it began, and nobody has refused anything

  void taken() {
    if (window_ == ceiling_) return feedback(kBeyond);
    feedback(opening_ ? std::max(kOpening, 1.0 / window_) : 1.0 / window_);
  }
  void trouble() {
    opening_ = false;
    feedback(-1.0 / window_);
  }
  void throttled(conf::Instant now);
  void cap(uint32_t most);  // the receiver holds so many of ours and turned another away

  void at_most(const Window& other);  // the narrower of both

  void save(SavedWriter* out) const;
  // `in` has failed when what is read makes no sense; the window is then as it was.
  void restore(SavedReader* in);

 private:
  static constexpr double kOpening = 0.25;
  static constexpr double kBeyond = 1.0 / 200;
  void feedback(double credit);

  uint32_t window_ = kBegin;
  uint32_t floor_ = 1;
  uint32_t limit_ = 1;
  uint32_t ceiling_ = UINT32_MAX;  // the latest cap
  float credit_ = 0;
  bool opening_ = true;                       // nobody has refused anything yet
  conf::Instant cut_ = conf::Instant::min();  // the last throttling that counted
};

}  // namespace mx
