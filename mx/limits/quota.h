// A quota that holds over every sliding window - an hour, or a day - not only over those of the clock.
//
// Two limits bind at once. The window is cut into twelve slices (5 minutes of an hour), each with its share
// (the remainder spread over the first ones), which paces it; and no sliding window may hold more than the
// quota (sliding_window.h), which slices alone would break (thirteen of them touch an hour). In smooth mode,
// instead of slices, messages keep a distance of (window + guard) / quota. One thread; all calls are O(1)
// amortised.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "conf/vocab/time.h"
#include "mx/limits/moment.h"
#include "mx/limits/sliding_window.h"

namespace mx {

class Quota {
 public:
  static constexpr conf::Duration kHour = std::chrono::hours(1);
  static constexpr uint32_t kSlices = 12;
  static constexpr conf::Duration kInFlight = SlidingWindow::kInFlight;

  // The share of slice `index` (0..11): 10,000 is 4 x 834 and 8 x 833.
  static uint32_t share(uint32_t limit, uint32_t index) {
    return limit / kSlices + (index < limit % kSlices ? 1 : 0);
  }

  Quota() = default;  // no limit
  // `limit` messages in any `window`, which is a multiple of 12 us, a second at least.
  Quota(uint32_t limit, bool smooth, conf::Duration window = kHour);
  // Changes the limit and keeps the window and what was counted. 0: no limit.
  void set(uint32_t limit, bool smooth);
  uint32_t limit() const { return limit_; }
  bool smooth() const { return smooth_; }
  conf::Duration window() const { return window_; }
  conf::Duration reach() const { return sent_.reach(); }  // the window with its guard

  // The first instant from `now` on when a message may go; `now`: at once. Holds as long as nothing else is
  // charged meanwhile.
  conf::Instant not_before(conf::Instant now);
  // Counts a message that begins now. Time never goes back: an earlier `now` counts as the latest one.
  void charge(conf::Instant now);
  // Takes back one message that was charged at `at`. No effect when it has aged out.
  void refund(conf::Instant at);
  uint32_t available(conf::Instant now);  // messages that may go at once
  uint32_t used(conf::Instant now);       // in the window that ends now, with its guard
  uint32_t used_in_slice(conf::Instant now) const;
  uint32_t slice_limit(conf::Instant now) const;  // 0: no slices (no limit, or smooth)
  // Nobody knows what was charged from `begin` to `end` (not later than now): counts as much as could have
  // been, but no more than `at_most` (SlidingWindow::assume); when at least `at_least` can have been, that,
  // even if there is no room for it. No limit: nothing.
  void assume_used(conf::Instant begin, conf::Instant end, uint32_t at_most, uint32_t at_least = 0);
  // No more than this many can have been charged in that time, going by slices or by the distance; UINT32_MAX
  // without a limit.
  uint32_t most_between(conf::Instant begin, conf::Instant end) const;

  // What was charged here itself, later than `since`; the window may hold more, which was charged elsewhere.
  std::vector<SlidingWindow::Run> own(conf::WallTime since, const Moment& moment) const;
  // What was charged elsewhere counts here too, until it leaves the window. Its slices go on where nothing
  // was charged here: an edit begins none anew. When the last of it was charged; kNever: there was nothing.
  conf::Instant inherit(const Quota& from, conf::WallTime since, const Moment& moment);
  void cut();  // what is charged from now on can be told from what was before
  const SlidingWindow& history() const { return sent_; }

  struct State {  // what survives a restart
    std::vector<SlidingWindow::Run> runs;
    bool inherited = false;  // then `own` of the runs were charged here
    std::vector<SlidingWindow::Run> own;
    conf::WallTime anchor{};  // the begin of a first slice
    conf::WallTime slice{};   // the begin of the slice that `in_slice` were charged in
    uint32_t in_slice = 0;
  };
  State save(const Moment& moment) const;
  void restore(const State& state, const Moment& moment);

 private:
  struct Part {
    std::unique_ptr<SlidingWindow> window;
    Part() = default;
    Part(const Part& other)
        : window(other.window == nullptr ? nullptr : std::make_unique<SlidingWindow>(*other.window)) {}
    Part(Part&&) = default;
    Part& operator=(Part other) noexcept {
      window.swap(other.window);
      return *this;
    }
    ~Part() = default;
  };
  conf::Duration slice_length() const { return window_ / kSlices; }
  conf::Instant slice_begin(conf::Instant at) const;
  uint32_t slice_share(conf::Instant begin) const;
  conf::Instant slice_free(conf::Instant at) const;
  conf::Duration distance() const;

  conf::Duration window_ = kHour;
  SlidingWindow sent_{kHour};
  conf::Instant anchor_{};
  conf::Instant slice_ = conf::Instant::min();
  uint32_t in_slice_ = 0;
  uint32_t limit_ = 0;
  bool smooth_ = false;
  Part own_;  // empty: all was charged here
};

}  // namespace mx
