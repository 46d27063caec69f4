#include "relay/queue/delivery_store.h"

#include "conf/vocab/check.h"

namespace relay::queue {

DeliveryStore::~DeliveryStore() {
  first_.for_each([](conf::MessageId, Delivery* first) {
    for (Delivery* delivery = first; delivery != nullptr;) {
      Delivery* next = delivery->sibling;
      delete delivery;
      delivery = next;
    }
  });
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
  Delivery** const first = first_.find(delivery->id);
  CHECK(first != nullptr);
  Delivery** link = first;
  while (*link != delivery) {
    CHECK(*link != nullptr);
    link = &(*link)->sibling;
  }
  *link = delivery->sibling;
  if (*first == nullptr) first_.erase(delivery->id);
  --deliveries_;
  delete delivery;
}

Delivery* DeliveryStore::find(conf::MessageId id) const {
  Delivery* const* first = first_.find(id);
  return first == nullptr ? nullptr : *first;
}

void DeliveryStore::for_each(const std::function<void(Delivery*)>& use) const {
  first_.for_each([&use](conf::MessageId, Delivery* first) {
    for (Delivery* delivery = first; delivery != nullptr; delivery = delivery->sibling) use(delivery);
  });
}

bool DeliveryStore::visit_some(size_t* part, size_t most,
                               const std::function<void(const Delivery&)>& use) const {
  return first_.visit_some(part, most, [&use](conf::MessageId, const Delivery* first) {
    for (const Delivery* delivery = first; delivery != nullptr; delivery = delivery->sibling) use(*delivery);
  });
}

}  // namespace relay::queue
