#include "relay/net/deadlines.h"

namespace relay {

Deadline::~Deadline() {
  if (all_ != nullptr) all_->erase(this);
}

void Deadlines::set(Deadline* deadline, conf::Instant when) {
  deadline->when_ = when;
  if (when == conf::kNever) return;  // it falls out of the heap when its old time comes
  if (deadline->index_ == Deadline::kOut) {
    deadline->all_ = this;
    deadline->queued_ = when;
    heap_.push(deadline);
  } else if (when < deadline->queued_) {
    deadline->queued_ = when;
    heap_.sift_up(deadline->index_);
  }
}

void Deadlines::erase(Deadline* deadline) {
  const size_t index = deadline->index_;
  deadline->when_ = conf::kNever;
  if (index == Deadline::kOut) return;
  heap_.erase(deadline, index);
  deadline->index_ = Deadline::kOut;
}

Deadline* Deadlines::pop(conf::Instant now) {
  while (!heap_.empty() && heap_.front()->queued_ <= now) {
    Deadline* first = heap_.front();
    if (first->when_ != conf::kNever && first->when_ > now) {  // it had moved
      first->queued_ = first->when_;
      heap_.sift_down(0);
      continue;
    }
    const bool due = first->when_ != conf::kNever;
    erase(first);
    if (due) return first;
  }
  return nullptr;
}

}  // namespace relay
