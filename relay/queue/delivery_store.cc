#include "relay/queue/delivery_store.h"

#include "conf/vocab/check.h"

namespace relay::queue {

DeliveryStore::~DeliveryStore() {
  for (const auto& [id, first] : first_) {
    for (Delivery* delivery = first; delivery != nullptr;) {
      Delivery* next = delivery->sibling;
      delete delivery;
      delivery = next;
    }
  }
}

Delivery* DeliveryStore::add(conf::MessageId id, uint32_t domain, conf::Instant due) {
  auto* delivery = new Delivery;
  delivery->id = id;
  delivery->domain = domain;
  delivery->due = due;
  Delivery*& first = first_[id];
  delivery->sibling = first;
  first = delivery;
  ++deliveries_;
  return delivery;
}

void DeliveryStore::erase(Delivery* delivery) {
  CHECK(delivery->message == nullptr);
  const auto found = first_.find(delivery->id);
  CHECK(found != first_.end());
  Delivery** link = &found->second;
  while (*link != delivery) {
    CHECK(*link != nullptr);
    link = &(*link)->sibling;
  }
  *link = delivery->sibling;
  if (found->second == nullptr) first_.erase(found);
  --deliveries_;
  delete delivery;
}

Delivery* DeliveryStore::find(conf::MessageId id) const {
  const auto found = first_.find(id);
  return found == first_.end() ? nullptr : found->second;
}

void DeliveryStore::for_each(const std::function<void(Delivery*)>& use) const {
  for (const auto& [id, first] : first_) {
    for (Delivery* delivery = first; delivery != nullptr; delivery = delivery->sibling) use(delivery);
  }
}

}  // namespace relay::queue
