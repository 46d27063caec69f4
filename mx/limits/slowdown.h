// A pause, the longer the more often and the more recently it was asked for: how long the window of
// connections does not grow after a greeting turned us away. How long nothing at all is sent after a request
// to slow down is decided by LearnedPace, and kept here (pause_until).
//
//   heat     halves every 5 minutes; each request adds 1, and one that comes within a second of the last that
//            was counted adds 0.1 only: it answers what was in flight already
//   pause    4 s x 2^(heat - 1), at most 10 minutes, from the request on
//
// One request: 4 s. Asked again at the end of each pause: 7 s, 15 s, 28 s, 48 s, 69 s, 82 s, and some 90 s
// from then on, where as much heat fades in a pause as the next request adds; more often, and it is longer.
// After an hour of silence next to nothing is left of it.
// One thread; O(1).
#pragma once

#include "conf/vocab/time.h"
#include "mx/limits/saved.h"

namespace mx {

class Slowdown {
 public:
  static constexpr conf::Duration kHalf = std::chrono::minutes(5);
  static constexpr conf::Duration kFirst = std::chrono::seconds(4);
  static constexpr conf::Duration kLongest = std::chrono::minutes(10);
  static constexpr conf::Duration kOneEvent = std::chrono::seconds(1);

  void throttled(conf::Instant now);
  void pause_until(conf::Instant until) { until_ = until; }  // as somebody else decided
  // The pause ends then; an Instant in the past: there is none.
  conf::Instant until() const { return until_; }
  double heat(conf::Instant now) const;
  // So little is left that the next request is like a first one.
  bool as_new(conf::Instant now) const { return until_ <= now && heat(now) < 0.01; }
  void reset() { *this = Slowdown(); }
  void at_least(const Slowdown& other, conf::Instant now);  // the longer pause of both

  void save(SavedWriter* out, conf::Instant now) const;
  void restore(SavedReader* in);  // as Window

 private:
  conf::Instant until_ = conf::Instant::min();
  double heat_ = 0;  // at `at_`
  conf::Instant at_ = conf::Instant::min();
  conf::Instant counted_ = conf::Instant::min();
};

}  // namespace mx
