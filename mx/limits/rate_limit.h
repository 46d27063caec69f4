// A short rate: "100/min, at most 20 at once". In no window of length `per`, wherever it begins, go more than
// `events` messages, and no more than `burst` at once.
//
// A bucket (token_bucket.h) paces them. Alone it would let the burst through on top of the rate, 120 in the
// worst minute; so with a burst of more than 1 a sliding window (sliding_window.h) counts beside it: 20 at
// once, 80 over the next 48 seconds, then nothing until the first 20 are more than a minute old. All 100 are
// sent in every minute. Both keep the guard of the sliding window. After a change of the limit the window
// counts as well, until it is silent. One thread; all calls are O(1) amortised.
#pragma once

#include <cstdint>
#include <memory>

#include "conf/mx_rule.h"
#include "conf/vocab/time.h"
#include "mx/limits/moment.h"
#include "mx/limits/saved.h"
#include "mx/limits/sliding_window.h"
#include "mx/limits/token_bucket.h"

namespace mx {

class RateLimit {
 public:
  RateLimit() = default;  // no limit
  explicit RateLimit(const conf::RuleRate& rate) { set(rate); }
  RateLimit(const RateLimit& other)
      : bucket_(other.bucket_),
        events_(other.events_),
        burst_(other.burst_),
        per_(other.per_),
        window_(other.window_ == nullptr ? nullptr : std::make_unique<SlidingWindow>(*other.window_)) {}
  RateLimit(RateLimit&&) = default;
  RateLimit& operator=(RateLimit&&) = default;
  // Changes the limit; what was charged stays charged. Where the old limit kept too little to tell what went
  // when, it counts as if its `events` had all gone with the last message. No events: no limit.
  void set(const conf::RuleRate& rate);
  bool limited() const { return bucket_.limited(); }
  bool is(const conf::RuleRate& rate) const {
    return events_ == rate.events && per_ == rate.per && burst_ == rate.burst;
  }
  conf::RuleRate rate() const { return {events_, per_, burst_}; }
  // Counts what the history holds, which is all that was charged, instead of what it knows itself. No effect
  // when the history is shorter than the rate.
  void recount(const SlidingWindow& history);
  // Whether a message of that time still counts.
  bool reaches(conf::Instant at, conf::Instant now) const {
    return limited() && at != conf::Instant::min() && at + SlidingWindow::reach(per_) > now;
  }
  // The burst was charged elsewhere at that time.
  void use_burst(conf::Instant at) { bucket_.assume_used(at); }

  conf::Duration reach() const { return SlidingWindow::reach(per_); }
  // Of two windows the one that holds more: for those that reach further than any other history.
  void inherit(const RateLimit& from, const Moment& moment);

  // The first instant from `now` on when a message may go, if nothing else is charged meanwhile.
  conf::Instant not_before(conf::Instant now) {
    return window_ == nullptr ? bucket_.not_before(now)
                              : std::max(bucket_.not_before(now), window_->free_at(events_, now));
  }
  uint32_t available(conf::Instant now);  // messages that may go at once
  void charge(conf::Instant now) {
    bucket_.charge(now);
    if (window_ != nullptr) window_->add(now, events_);
  }
  void refund(conf::Instant charged_at) {
    bucket_.refund(charged_at);
    if (window_ != nullptr) window_->remove(charged_at);
  }
  // No window of this length holds more.
  uint32_t most_in(conf::Duration window) const { return bucket_.most_in(window); }
  // Nobody knows what was charged from `begin` to `end`: all that could be, and no less than `at_least`.
  void assume_used(conf::Instant begin, conf::Instant end, uint32_t at_least = 0);
  // What is counted now is worth nothing from then on; not later than `now`: it is worth nothing now.
  conf::Instant worth_until(conf::Instant now);

  void save(SavedWriter* out, const Moment& moment) const;
  struct State {
    conf::WallTime full_at{};
    bool counted = false;  // by a sliding window
    std::vector<SlidingWindow::Run> runs;
  };
  static State read(SavedReader* in);  // `in` fails when that is not what save() wrote
  void restore(const State& state, const Moment& moment);

 private:
  TokenBucket bucket_;
  uint32_t events_ = 0;
  uint32_t burst_ = 0;
  conf::Duration per_{0};
  std::unique_ptr<SlidingWindow> window_;  // with a burst, and after a change
};

}  // namespace mx
