#include "relay/queue/scheduled.h"

#include "conf/vocab/check.h"

namespace relay::queue {

void Scheduled::place(size_t index, Delivery* delivery) {
  heap_[index] = delivery;
  delivery->heap_index = static_cast<uint32_t>(index);
}

void Scheduled::sift_up(size_t index) {
  Delivery* moving = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (heap_[parent]->due <= moving->due) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, moving);
}

void Scheduled::sift_down(size_t index) {
  Delivery* moving = heap_[index];
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->due < heap_[child]->due) ++child;
    if (heap_[child]->due >= moving->due) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, moving);
}

void Scheduled::push(Delivery* delivery) {
  heap_.push_back(delivery);
  sift_up(heap_.size() - 1);
}

void Scheduled::erase(Delivery* delivery) {
  const size_t index = delivery->heap_index;
  CHECK(index < heap_.size() && heap_[index] == delivery);
  Delivery* last = heap_.back();
  heap_.pop_back();
  if (last == delivery) return;
  place(index, last);
  sift_up(index);
  sift_down(last->heap_index);
}

Delivery* Scheduled::pop_due(conf::Instant now) {
  if (heap_.empty() || heap_.front()->due > now) return nullptr;
  Delivery* first = heap_.front();
  erase(first);
  return first;
}

}  // namespace relay::queue
