#include "relay/queue/delivery_store.h"

#include "conf/vocab/check.h"

namespace relay::queue {

DeliveryStore::~DeliveryStore() {
  first_.for_each([](Delivery* first) {
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
  delivery->sibling = first_.put(delivery);
  if (delivery->sibling != nullptr) delivery->sibling->sibling_before = delivery;
  ++deliveries_;
  return delivery;
}

void DeliveryStore::erase(Delivery* delivery) {
  CHECK(delivery->message == nullptr);
  Delivery* const before = delivery->sibling_before;
  Delivery* const after = delivery->sibling;
  if (after != nullptr) after->sibling_before = before;
  if (before != nullptr) {
    before->sibling = after;
  } else if (after != nullptr) {
    first_.put(after);
  } else {
    first_.erase(delivery->id);
  }
  --deliveries_;
  delete delivery;
}

Delivery* DeliveryStore::find(conf::MessageId id) const { return first_.find(id); }

void DeliveryStore::for_each(const std::function<void(Delivery*)>& use) const {
  first_.for_each([&use](Delivery* first) {
    for (Delivery* delivery = first; delivery != nullptr; delivery = delivery->sibling) use(delivery);
  });
}

bool DeliveryStore::visit_some(size_t* part, size_t most,
                               const std::function<void(const Delivery&)>& use) const {
  return first_.visit_some(part, most, [&use](const Delivery* first) {
    for (const Delivery* delivery = first; delivery != nullptr; delivery = delivery->sibling) use(*delivery);
  });
}

}  // namespace relay::queue
