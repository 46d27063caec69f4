// The rate that a receiver takes without asking us to slow down, found from its replies. Nothing is limited
// until it asks twice within ten minutes; then the counts of what it took tell which limit was met, and mail
// goes evenly, just below it.
//
//   asked        a pause: 4 s; longer with each request that follows without a message taken, and at least
//                until messages leave the window whose limit was met, at most a minute, later five
//   again        of a second, ten seconds and a minute the limit of the shortest was met that was as full
//                as it ever was: rate = 98 % of its count. Fewer than four messages say nothing
//   sent evenly  and asked again: the rate is cut by a fiftieth to a tenth, when it was not used by three
//                tenths. Now it is confirmed
//   taken        nothing for five minutes (two before it is confirmed); then the rate grows by a hundredth a
//                minute, twice as fast every five (two), to find a limit that has risen
//   forgotten    when no request came for an hour, and the rate is far above what is sent
//
// A rate never falls below three a minute: what takes less is met by the pauses. It is learned, not promised:
// a crash may let a few messages go too early. One thread; O(1).
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "conf/vocab/time.h"
#include "mx/limits/saved.h"

namespace mx {

class LearnedPace {
 public:
  LearnedPace() = default;
  LearnedPace(const LearnedPace& other) { *this = other; }
  LearnedPace& operator=(const LearnedPace& other);

  void taken(conf::Instant now);
  // The receiver asked us to slow down. False: an answer to what was under way when it asked before.
  bool asked(conf::Instant now);
  // Until then nothing is sent; an Instant in the past: there is no pause.
  conf::Instant paused_until() const { return learned_ == nullptr ? conf::Instant::min() : learned_->until; }

  void charge(conf::Instant now) {
    if (has_rate()) charge_rate(now);
  }
  // When one more message may go; not later than `now`: at once.
  conf::Instant not_before(conf::Instant now) const { return has_rate() ? learned_->next - slack() : now; }
  uint32_t available(conf::Instant now) const;  // messages that may go at once
  uint32_t per_hour() const;                    // 0: nothing is learned
  bool has_rate() const { return learned_ != nullptr && learned_->rate > 0; }
  // Nothing was asked of us for an hour.
  bool as_new(conf::Instant now) const;
  conf::Instant worth_until() const;
  void reset() { *this = LearnedPace(); }

  void save(SavedWriter* out) const;
  void restore(SavedReader* in);  // as Window

 private:
  static constexpr size_t kWindows = 3;
  // How many in a sliding window, near enough: those of the present one, and a share of those of the last
  // one.
  struct Count {
    conf::Instant begin = conf::Instant::min();
    uint32_t now = 0, before = 0;
    void roll(conf::Instant at, conf::Duration window);
    double in(conf::Instant at, conf::Duration window) const;
  };
  struct Learned {
    double rate = 0;     // messages a second; 0: not known
    size_t window = 0;   // whose limit was met
    conf::Instant at{};  // when it asked last
    conf::Instant grown{};
    conf::Instant until{};
    conf::Instant next{};    // when the next message is due, evenly
    uint32_t taken = 0;      // since it asked last
    bool confirmed = false;  // the limit was met again by mail sent evenly
    uint8_t cuts = 0;        // of an even rate since it grew last
    uint8_t in_a_row = 0;    // requests without a message taken between them
  };
  void charge_rate(conf::Instant now);
  conf::Duration slack() const;
  void grow(conf::Instant now);
  void find_limit(conf::Instant now);
  conf::Duration pause(conf::Instant now) const;

  std::array<Count, kWindows> counts_;
  std::array<uint32_t, kWindows> most_{};  // that ever were in a window
  conf::Instant last_taken_ = conf::Instant::min();
  std::unique_ptr<Learned> learned_;  // from the first request on
};

}  // namespace mx
