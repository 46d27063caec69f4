// Where deliveries rest: scheduled until they are due, or held until an operator releases them. What rests is
// not in memory but for these hundred bytes. Loop thread.
#pragma once

#include <cstddef>

#include "relay/queue/message_cache.h"
#include "relay/queue/scheduled.h"

namespace relay {

class Resting {
 public:
  // Each delivery in here is owned elsewhere and is taken out before it goes.
  explicit Resting(queue::MessageCache* messages) : messages_(messages) {}

  void schedule(queue::Delivery* delivery);  // becomes kScheduled, until delivery->due
  void hold(queue::Delivery* delivery);      // becomes kHeld
  // The earliest that is due, taken out; null: none is.
  queue::Delivery* next_due(conf::Instant now) { return scheduled_.pop_due(now); }
  // Out of where it rests. False: it does not rest here.
  bool take_out(queue::Delivery* delivery);

  conf::Instant next_wake() const { return scheduled_.next(); }
  size_t scheduled() const { return scheduled_.size(); }
  size_t held() const { return held_; }

 private:
  void lay_down(queue::Delivery* delivery);

  queue::MessageCache* messages_;
  queue::Scheduled scheduled_;
  size_t held_ = 0;
};

}  // namespace relay
