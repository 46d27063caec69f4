// Owns the deliveries and finds them by message. One thread.
#pragma once

#include <functional>

#include "relay/queue/delivery.h"
#include "relay/queue/parted_map.h"

namespace relay::queue {

class DeliveryStore {
 public:
  DeliveryStore() = default;
  DeliveryStore(const DeliveryStore&) = delete;
  DeliveryStore& operator=(const DeliveryStore&) = delete;
  ~DeliveryStore();

  Delivery* add(conf::MessageId id, uint32_t domain, conf::Instant due);
  // `delivery` must be in no list, in no heap and without a message. It is gone afterwards.
  void erase(Delivery* delivery);
  // The first delivery of the message; the rest follow by `sibling`. Null: none is queued.
  Delivery* find(conf::MessageId id) const;

  size_t deliveries() const { return deliveries_; }
  size_t messages() const { return first_.size(); }
  void for_each(const std::function<void(Delivery*)>& use) const;

 private:
  PartedMap<Delivery*> first_;
  size_t deliveries_ = 0;
};

}  // namespace relay::queue
