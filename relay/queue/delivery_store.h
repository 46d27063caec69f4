// Owns the deliveries and finds them by message. One thread.
#pragma once

#include <functional>

#include "relay/queue/delivery.h"
#include "relay/queue/delivery_index.h"
#include "relay/queue/last_replies.h"

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
  // The deliveries of about `most` messages, from `*part` on; see DeliveryIndex::visit_some.
  bool visit_some(size_t* part, size_t most, const std::function<void(const Delivery&)>& use) const;
  LastReplies& last_replies() { return last_replies_; }
  const LastReplies& last_replies() const { return last_replies_; }

 private:
  DeliveryIndex first_;
  LastReplies last_replies_;
  size_t deliveries_ = 0;
};

}  // namespace relay::queue
