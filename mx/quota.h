// A quota that holds over every sliding window - an hour, or a day - not only over those of the clock.
//
// Two limits bind at once. The window is cut into twelve slices (5 minutes of an hour), each with its share
// (the remainder spread over the first ones), which paces it; and no sliding window may hold more than the
// quota, which slices alone would break (thirteen of them touch an hour). In smooth mode, instead of slices,
// messages keep a distance of window / quota.
//
// The sliding window is a ring of runs: so many messages, and the time of the last of them. A run counts in
// full until a window after its last message, so the count is never too low; it is exact (to the millisecond)
// while the quota is at most kRunsOfAQuota, and above that it is late by at most the length of one run (a
// window / kRunsOfAQuota, when mail flows evenly). The ring grows as it is filled: most sites get little
// mail. One thread; all calls are O(1) amortised.
#pragma once

#include <cstdint>
#include <vector>

#include "conf/vocab/time.h"
#include "mx/moment.h"

namespace mx {

class Quota {
 public:
  static constexpr conf::Duration kHour = std::chrono::hours(1);
  static constexpr uint32_t kSlices = 12;
  static constexpr conf::Duration kLongestWindow = std::chrono::hours(24 * 7);  // see stamp()
  // RFC 5321 §4.5.3.2.6: a transaction may wait ten minutes for its last reply.
  static constexpr conf::Duration kInFlight = std::chrono::minutes(10);
  static constexpr uint32_t kRuns = 64;          // a power of two
  static constexpr uint32_t kRunsOfAQuota = 50;  // a run ends with its slice too: 50 + 13 fit the ring

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
  conf::Duration window() const { return window_; }

  // The first instant from `now` on when a message may go; `now`: at once. Holds as long as nothing else is
  // charged meanwhile.
  conf::Instant not_before(conf::Instant now);
  // Counts a message that begins now. Time never goes back: an earlier `now` counts as the latest one.
  void charge(conf::Instant now);
  // Takes back one message that was charged at `at`. No effect when it has aged out.
  void refund(conf::Instant at);
  uint32_t available(conf::Instant now);  // messages that may go at once
  uint32_t used(conf::Instant now);       // in the window that ends now
  uint32_t used_in_slice(conf::Instant now) const;
  uint32_t slice_limit(conf::Instant now) const;  // 0: no slices (no limit, or smooth)
  // Nobody knows what was charged from `begin` to `end` (not later than now): counts as much as could have
  // been, but no more than `at_most`, as if it had all been at `end`. What was charged in the kInFlight
  // before `begin` is moved to `end` too: it may have been taken back and made room for another. No limit:
  // nothing.
  void assume_used(conf::Instant begin, conf::Instant end, uint32_t at_most);

  struct Run {
    uint32_t count = 0;
    conf::WallTime last{};
  };
  struct State {              // what survives a restart
    std::vector<Run> runs;    // oldest first
    conf::WallTime anchor{};  // the begin of a first slice
    conf::WallTime slice{};   // the begin of the slice that `in_slice` were charged in
    uint32_t in_slice = 0;
  };
  State save(const Moment& moment) const;
  void restore(const State& state, const Moment& moment);

 private:
  struct Place {
    uint32_t count = 0;
    uint32_t last = 0;  // stamp
  };
  // Run `index` of runs_, the oldest first. The size of the ring is 0 or a power of two, at most kRuns.
  Place& run(uint32_t index) { return ring_[(first_ + index) & (ring_.size() - 1)]; }
  const Place& run(uint32_t index) const { return ring_[(first_ + index) & (ring_.size() - 1)]; }
  void grow();

  // Times of the ring: milliseconds of the Instant rounded up, modulo 2^32. They compare rightly because what
  // is in the ring is never older than two windows when it is looked at (age() drops the rest).
  static uint32_t stamp(conf::Instant at);
  static bool at_or_before(uint32_t a, uint32_t b) { return static_cast<int32_t>(b - a) >= 0; }
  conf::Instant free_after(uint32_t last, conf::Instant now) const;
  bool newest_is_full(conf::Instant now) const;
  void age(conf::Instant now);
  void drop_oldest();
  void merge_oldest();
  conf::Duration slice_length() const { return window_ / kSlices; }
  conf::Instant slice_begin(conf::Instant at) const;
  uint32_t slice_share(conf::Instant begin) const;
  conf::Instant slice_free(conf::Instant at) const;
  uint32_t most_between(conf::Instant begin, conf::Instant end) const;
  void push_run(uint32_t count, conf::Instant at);
  conf::Instant window_free(conf::Instant now) const;

  conf::Duration window_ = kHour;
  uint32_t limit_ = 0;
  bool smooth_ = false;
  uint8_t first_ = 0;  // ring: position of the oldest run
  uint8_t runs_ = 0;   // ring: how many
  uint32_t live_ = 0;  // sum of the counts in the ring
  uint32_t in_slice_ = 0;
  uint32_t newest_began_ = 0;                    // stamp of the first message of the newest run
  conf::Instant latest_ = conf::Instant::min();  // the last charge
  conf::Instant anchor_{};
  conf::Instant slice_ = conf::Instant::min();
  std::vector<Place> ring_;
};

}  // namespace mx
