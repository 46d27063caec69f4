#include "relay/walk/half_done.h"

#include "relay/queue/message.h"

namespace relay {

void HalfDone::write_down(queue::Delivery* delivery) {
  if (delivery->message == nullptr || !delivery->changed) return;
  delivery->changed = false;
  spool_->update(delivery->message->record, delivery->message->of(domains_->name(delivery->domain)));
}

void HalfDone::add(const queue::Delivery& delivery, conf::Instant now) {
  if (delivery.changed && known_.insert(delivery.id).second) waiting_.push_back({delivery.id, now});
}

void HalfDone::step(conf::Instant now) {
  for (; !waiting_.empty() && next_wake() <= now; waiting_.pop_front()) {
    const conf::MessageId id = waiting_.front().id;
    known_.erase(id);
    for (queue::Delivery* each = deliveries_->find(id); each != nullptr; each = each->sibling)
      write_down(each);
  }
}

}  // namespace relay
