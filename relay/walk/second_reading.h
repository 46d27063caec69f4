// After a change of rules: mail that waits because of a refusal which reads otherwise now is due at once, so
// that what the operator decided holds for the past, too. Only where it changes what follows - the type, or
// what the rule does - and part by part of the queue. What a rule holds is let go when another act, or a type
// that ends it, takes the place of the hold; a rule that is no more lets go of nothing. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bounce/qualifier.h"
#include "relay/queue/delivery_store.h"
#include "relay/walk/queue_orders.h"

namespace relay {

class SecondReading {
 public:
  // All are borrowed.
  SecondReading(const queue::DeliveryStore* deliveries, QueueOrders* orders)
      : deliveries_(deliveries), orders_(orders) {}

  void begin(std::shared_ptr<const bounce::Qualifier> before, std::shared_ptr<const bounce::Qualifier> after);
  void step();
  bool under_way() const { return after_ != nullptr; }
  // It is, and does not wait for records that it let go of: mail that is due has its body read by the same
  // threads, in turn.
  bool may_go_on() const { return under_way() && orders_->ending_holds() < kMostLoading; }

 private:
  static constexpr size_t kMostLoading = 256;
  enum class Reading : uint8_t { kUnknown, kSame, kOther, kNoHold };
  Reading read(const std::string& text) const;
  Reading reading_of(const queue::Delivery& delivery);
  bool is_due(const queue::Delivery& delivery);

  const queue::DeliveryStore* deliveries_;
  QueueOrders* orders_;
  std::shared_ptr<const bounce::Qualifier> before_, after_;  // null: nothing is under way
  std::vector<Reading> readings_;                            // by number of the last reply
  size_t part_ = 0;
};

}  // namespace relay
