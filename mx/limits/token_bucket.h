// The pace of a short rate with a burst: "100/min, at most 20 at once". In any window of length w at most
// burst + w * events / reach(per) messages go (SlidingWindow::reach: `per` and a guard); with a burst of 1
// that is no more than `events` in any `per`, and with a longer one RateLimit sees to that. Kept as one
// instant, the time at which the bucket would be full again (the virtual scheduling form of the leaky bucket,
// ITU-T I.371 annex A). One thread; all calls are O(1).
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "conf/mx_rule.h"
#include "conf/vocab/time.h"
#include "mx/limits/moment.h"
#include "mx/limits/sliding_window.h"

namespace mx {

class TokenBucket {
 public:
  TokenBucket() = default;  // no limit
  explicit TokenBucket(const conf::RuleRate& rate) { set(rate); }
  // Changes the limit; what is owed stays owed. No events: no limit.
  void set(const conf::RuleRate& rate) {
    const auto events = static_cast<int64_t>(rate.events);
    const conf::Duration before = step_;
    const int64_t reach = SlidingWindow::reach(rate.per).count();
    step_ = events == 0 ? conf::Duration(0) : conf::Duration((reach + events - 1) / events);
    if (step_ != before) spare_ = conf::Duration(0);  // what was charged had another price
    if (!limited()) return;
    slack_ = step_ * std::min<int64_t>(std::max(rate.burst, 1U) - 1, kMostSlack / step_);
  }
  bool limited() const { return step_.count() != 0; }

  // The first instant from `now` on when a message may go.
  conf::Instant not_before(conf::Instant now) const {
    return limited() && full_at_ > now + slack_ ? full_at_ - slack_ : now;
  }
  uint32_t available(conf::Instant now) const {  // messages that may go at once
    constexpr int64_t kAll = std::numeric_limits<uint32_t>::max();
    if (!limited()) return kAll;
    const conf::Duration owed = full_at_ > now ? full_at_ - now : conf::Duration(0);
    if (owed > slack_) return 0;
    return static_cast<uint32_t>(std::min((slack_ - owed) / step_ + 1, kAll));
  }
  void charge(conf::Instant now) {
    if (!limited()) return;
    const conf::Duration owed = full_at_ > now ? full_at_ - now : conf::Duration(0);
    if (owed < step_ || spare_ < step_) {
      since_ = now;
      spare_ = owed < step_ ? kMostSlack : owed;
    } else {
      spare_ = std::min(spare_, owed);
    }
    full_at_ = now + owed + step_;
  }
  // Takes back the charge of that instant. The bucket never holds more than it would without that charge: a
  // message that found the bucket full since then would have found it full anyway, and then there is nothing
  // to give back.
  void refund(conf::Instant charged_at) {
    if (!limited() || charged_at < since_ || spare_ < step_ || full_at_ < charged_at + step_) return;
    full_at_ -= step_;
    spare_ -= step_;
  }
  // No window of this length holds more.
  uint32_t most_in(conf::Duration window) const {
    constexpr int64_t kAll = std::numeric_limits<uint32_t>::max();
    if (!limited()) return kAll;
    return static_cast<uint32_t>(std::min((slack_ + window) / step_ + 1, kAll));
  }
  // As if all that could be charged had been, by that time.
  void assume_used(conf::Instant at) {
    if (!limited()) return;
    full_at_ = std::max(full_at_, at + slack_ + step_);
    since_ = std::max(since_, at);
    spare_ = conf::Duration(0);
  }
  conf::Instant full_at() const { return full_at_; }
  // Not before the last charge; Instant::min(): there was none.
  conf::Instant charged_until() const {
    return full_at_ == conf::Instant::min() ? full_at_ : full_at_ - step_;
  }

  conf::WallTime save(const Moment& moment) const { return moment.to_wall(full_at_); }
  // A time further ahead than a whole bucket is a wall clock that was moved: it counts as an empty bucket.
  void restore(conf::WallTime full_at, const Moment& moment) {
    full_at_ = std::min(moment.to_instant(full_at), moment.now + slack_ + step_);
    since_ = moment.now;
    spare_ = conf::Duration(0);
  }

 private:
  static constexpr conf::Duration kMostSlack = std::chrono::hours(24 * 365);

  conf::Duration step_{0};   // from one message to the next, rounded up
  conf::Duration slack_{0};  // how far the burst may run ahead
  conf::Instant full_at_ = conf::Instant::min();
  // What a refund must know: every charge after `since_` found at least `spare_` owed, so that so much less
  // of it would have changed nothing for them.
  conf::Instant since_ = conf::Instant::min();
  conf::Duration spare_{0};
};

}  // namespace mx
