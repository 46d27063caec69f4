// What the parts of the walk give a delivery back to when their own step with it is over: three ways to go
// on. Loop thread; each may end the delivery, so nothing may be done with it afterwards.
#pragma once

#include "conf/destination.h"
#include "conf/vocab/result.h"
#include "relay/queue/delivery.h"

namespace relay {

class Walk {
 public:
  virtual ~Walk() = default;
  // What is next for it, by its state.
  virtual void advance(queue::Delivery* delivery) = 0;
  // It is pinned, and its record says what became of every recipient; those still pending have their due
  // time.
  virtual void settled(queue::Delivery* delivery) = 0;
  // Its message cannot be read: for now, or (kCorrupt, kNotFound) ever again. It is not pinned.
  virtual void unreadable(queue::Delivery* delivery, const conf::Error& why) = 0;
  // Whether an order keeps the mail of its stream back.
  virtual bool is_paused(const queue::Delivery& delivery) const = 0;
  // Whether its validity, under these settings, is over: nothing of it is sent any more.
  virtual bool is_over(const queue::Delivery& delivery, const conf::DestinationSettings& settings) const = 0;
};

}  // namespace relay
