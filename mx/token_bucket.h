// A short rate with a burst: "100/min, at most 20 at once". In any window of length w at most
// burst + w * events / per messages go. Kept as one instant, the time at which the bucket would be full again
// (the virtual scheduling form of the leaky bucket, ITU-T I.371 annex A). One thread; all calls are O(1).
#pragma once

#include <algorithm>
#include <cstdint>

#include "conf/mx_rule.h"
#include "conf/vocab/time.h"
#include "mx/moment.h"

namespace mx {

class TokenBucket {
 public:
  TokenBucket() = default;  // no limit
  explicit TokenBucket(const conf::RuleRate& rate) { set(rate); }
  // Changes the limit; what is owed stays owed. No events: no limit.
  void set(const conf::RuleRate& rate) {
    const auto events = static_cast<int64_t>(rate.events);
    step_ = events == 0 ? conf::Duration(0) : conf::Duration((rate.per.count() + events - 1) / events);
    slack_ = step_ * (std::max(rate.burst, 1U) - 1);
  }
  bool limited() const { return step_.count() != 0; }

  // The first instant from `now` on when a message may go.
  conf::Instant not_before(conf::Instant now) const {
    return limited() && full_at_ > now + slack_ ? full_at_ - slack_ : now;
  }
  void charge(conf::Instant now) {
    if (limited()) full_at_ = std::max(full_at_, now) + step_;
  }
  // Takes back one charge. The bucket never holds more than it would without that charge.
  void refund() {
    if (limited() && full_at_ > conf::Instant::min() + step_) full_at_ -= step_;
  }

  conf::WallTime save(const Moment& moment) const { return moment.to_wall(full_at_); }
  // A time further ahead than a whole bucket is a wall clock that was moved: it counts as an empty bucket.
  void restore(conf::WallTime full_at, const Moment& moment) {
    full_at_ = std::min(moment.to_instant(full_at), moment.now + slack_ + step_);
  }

 private:
  conf::Duration step_{0};   // from one message to the next, rounded up
  conf::Duration slack_{0};  // how far the burst may run ahead
  conf::Instant full_at_ = conf::Instant::min();
};

}  // namespace mx
