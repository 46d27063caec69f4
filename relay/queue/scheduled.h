// Deliveries by due time: a binary heap that knows where each element is. O(log n) for everything but next().
// One thread.
#pragma once

#include "conf/vocab/indexed_heap.h"
#include "relay/queue/delivery.h"

namespace relay::queue {

class Scheduled {
 public:
  void push(Delivery* delivery) { heap_.push(delivery); }  // by delivery->due
  void erase(Delivery* delivery);                          // must be inside
  Delivery* pop_due(conf::Instant now);                    // null when nothing is due
  conf::Instant next() const { return heap_.empty() ? conf::kNever : heap_.front()->due; }
  size_t size() const { return heap_.size(); }

 private:
  struct ByDue {
    static conf::Instant at(const Delivery& delivery) { return delivery.due; }
    static void put(Delivery* delivery, size_t place) { delivery->heap_index = static_cast<uint32_t>(place); }
  };
  conf::IndexedHeap<Delivery, ByDue> heap_;
};

}  // namespace relay::queue
