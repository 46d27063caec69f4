#include "relay/net/deadlines.h"

#include "conf/vocab/check.h"

namespace relay {

Deadline::~Deadline() {
  if (all_ != nullptr) all_->erase(this);
}

void Deadlines::place(size_t index, Deadline* deadline) {
  heap_[index] = deadline;
  deadline->index_ = index;
}

void Deadlines::sift_up(size_t index) {
  Deadline* moving = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (heap_[parent]->queued_ <= moving->queued_) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, moving);
}

void Deadlines::sift_down(size_t index) {
  Deadline* moving = heap_[index];
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->queued_ < heap_[child]->queued_) ++child;
    if (heap_[child]->queued_ >= moving->queued_) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, moving);
}

void Deadlines::set(Deadline* deadline, conf::Instant when) {
  deadline->when_ = when;
  if (when == conf::kNever) return;  // it falls out of the heap when its old time comes
  if (deadline->index_ == Deadline::kOut) {
    deadline->all_ = this;
    deadline->queued_ = when;
    heap_.push_back(deadline);
    sift_up(heap_.size() - 1);
  } else if (when < deadline->queued_) {
    deadline->queued_ = when;
    sift_up(deadline->index_);
  }
}

void Deadlines::erase(Deadline* deadline) {
  const size_t index = deadline->index_;
  deadline->when_ = conf::kNever;
  if (index == Deadline::kOut) return;
  CHECK(index < heap_.size() && heap_[index] == deadline);
  deadline->index_ = Deadline::kOut;
  Deadline* last = heap_.back();
  heap_.pop_back();
  if (last == deadline) return;
  place(index, last);
  sift_up(index);
  sift_down(last->index_);
}

Deadline* Deadlines::pop(conf::Instant now) {
  while (!heap_.empty() && heap_.front()->queued_ <= now) {
    Deadline* first = heap_.front();
    if (first->when_ != conf::kNever && first->when_ > now) {  // it had moved
      first->queued_ = first->when_;
      sift_down(0);
      continue;
    }
    const bool due = first->when_ != conf::kNever;
    erase(first);
    if (due) return first;
  }
  return nullptr;
}

}  // namespace relay
