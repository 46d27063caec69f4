#include "relay/queue/scheduled.h"

namespace relay::queue {

void Scheduled::erase(Delivery* delivery) { heap_.erase(delivery, delivery->heap_index); }

Delivery* Scheduled::pop_due(conf::Instant now) {
  if (heap_.empty() || heap_.front()->due > now) return nullptr;
  Delivery* first = heap_.front();
  erase(first);
  return first;
}

}  // namespace relay::queue
