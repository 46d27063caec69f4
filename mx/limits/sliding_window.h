// How many messages went in the window that ends now, whenever that is: so many in any hour, any minute.
//
// A receiver counts a message when it reads our MAIL, we count it when we write it: the one that we send as
// the window ends may reach it sooner than those before. What is kept here is therefore longer than the
// window of the rule by a guard, see reach().
//
// A ring of runs: so many messages, and the time of the last of them. A run counts in full until a window
// after its last message, so the count is never too low; it is exact (to the millisecond) while the limit is
// at most kRunsOfALimit, and above that late by at most the length of one run (a window / kRunsOfALimit, when
// mail flows evenly). The ring grows as it is filled, and its counts take 16 bits until one needs more: most
// sites get little mail. One thread; all calls are O(1) amortised. Time never goes back: an earlier `now`
// counts as the latest one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "conf/vocab/time.h"
#include "mx/limits/moment.h"

namespace mx {

class SlidingWindow {
 public:
  static constexpr conf::Duration kLongest = std::chrono::hours(24 * 7);  // see stamp()
  // RFC 5321 §4.5.3.2.6: a transaction may wait ten minutes for its last reply.
  static constexpr conf::Duration kInFlight = std::chrono::minutes(10);
  static constexpr conf::Duration kPrecision = std::chrono::milliseconds(1);
  static constexpr uint32_t kRuns = 64;
  static constexpr uint32_t kRunsOfALimit = 50;  // a run ends with a slice of the quota too: 50 + 13 fit

  // The window with its guard: a second is more than a network that works and a busy loop shift a message by;
  // of a short window a sixtieth, so that no more than that is lost of the rate.
  static constexpr conf::Duration reach(conf::Duration window) {
    return window + std::min<conf::Duration>(std::chrono::seconds(1), window / 60);
  }

  explicit SlidingWindow(conf::Duration window);  // of the rule; longer than nothing, at most kLongest
  SlidingWindow(const SlidingWindow& other);
  SlidingWindow(SlidingWindow&&) = default;
  SlidingWindow& operator=(const SlidingWindow& other) { return *this = SlidingWindow(other); }
  SlidingWindow& operator=(SlidingWindow&&) = default;
  ~SlidingWindow() = default;

  conf::Duration reach() const { return reach_; }
  conf::Instant latest() const { return latest_; }  // of the messages; Instant::min(): none yet
  uint32_t count(conf::Instant now);                // in the window that ends now, with its guard
  // Nothing was added for so long that nothing counts. Never says yes wrongly.
  bool silent(conf::Instant now) const { return live_ == 0 || now - latest_ >= reach_ + kPrecision; }
  // The first instant from `now` on when fewer than `limit` (not 0) are counted, if none is added meanwhile.
  conf::Instant free_at(uint32_t limit, conf::Instant now);
  // One more message. `limit` cuts the runs, 0: none. `apart`: begins a run.
  void add(conf::Instant now, uint32_t limit, bool apart = false);
  void cut() { newest_began_ -= static_cast<uint32_t>(reach_ / kPrecision); }  // the next begins a run
  // Takes back one message that was added at `at`. False: it is not counted any more.
  bool remove(conf::Instant at);
  // Nobody knows what went from `begin` to `end`: `count` messages, as if all at `end`. What was added in the
  // kInFlight before `begin` is moved to `end` too: it may have been taken back and made room for another.
  void assume(conf::Instant begin, conf::Instant end, uint32_t count);

  struct Run {
    uint32_t count = 0;
    conf::WallTime last{};
  };
  std::vector<Run> save(const Moment& moment) const;  // oldest first
  void restore(const std::vector<Run>& runs, const Moment& moment);
  void join(std::vector<Run> runs, const Moment& moment);  // these were added too, at their times

 private:
  static constexpr uint32_t kNarrow = 3, kWide = 4;  // units of 16 bits: the stamp, the count

  // Times of the ring: milliseconds of the Instant rounded up, modulo 2^32. They compare rightly because what
  // is in the ring is never older than three windows when it is looked at (age() drops the rest).
  static uint32_t stamp(conf::Instant at);
  static bool at_or_before(uint32_t a, uint32_t b) { return static_cast<int32_t>(b - a) >= 0; }
  // Run `index`, the oldest first. The capacity is 0 or a power of two, at most kRuns.
  uint16_t* run(uint32_t index) const { return &ring_[size_t{(first_ + index) & (capacity_ - 1U)} * units_]; }
  uint32_t last_of(uint32_t index) const;
  uint32_t count_of(uint32_t index) const;
  void set_last(uint32_t index, uint32_t last);
  void set_count(uint32_t index, uint32_t count);
  void resize(uint32_t capacity, uint32_t units);
  conf::Instant free_after(uint32_t last, conf::Instant now) const;
  bool newest_is_full(conf::Instant now, uint32_t limit) const;
  void age(conf::Instant now);
  void drop_oldest();
  void merge_oldest();
  void push(uint32_t count, conf::Instant at);

  conf::Duration reach_;
  conf::Instant latest_ = conf::Instant::min();
  std::unique_ptr<uint16_t[]> ring_;
  uint32_t live_ = 0;          // sum of the counts in the ring; what no longer counts too, until age()
  uint32_t newest_began_ = 0;  // stamp of the first message of the newest run
  uint8_t first_ = 0;          // position of the oldest run
  uint8_t runs_ = 0;           // how many
  uint8_t capacity_ = 0;
  uint8_t units_ = kNarrow;  // of a run
};

}  // namespace mx
