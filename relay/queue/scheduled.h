// Deliveries by due time: a binary heap that knows where each element is. O(log n) for everything but next().
// One thread.
#pragma once

#include <deque>

#include "relay/queue/delivery.h"

namespace relay::queue {

class Scheduled {
 public:
  void push(Delivery* delivery);         // by delivery->due
  void erase(Delivery* delivery);        // must be inside
  Delivery* pop_due(conf::Instant now);  // null when nothing is due
  conf::Instant next() const { return heap_.empty() ? conf::kNever : heap_.front()->due; }
  size_t size() const { return heap_.size(); }
  Delivery* any() const { return heap_.empty() ? nullptr : heap_.back(); }

 private:
  void place(size_t index, Delivery* delivery);
  void sift_up(size_t index);
  void sift_down(size_t index);
  std::deque<Delivery*> heap_;  // not a vector: growing must not move millions of pointers at once
};

}  // namespace relay::queue
