// Frees the paths that an order blocked and none means any more: after an edit of the rules, or because a
// domain leads elsewhere now. Two rounds over all paths, some in each step: paths may share what is held
// against them, so the first asks what is meant. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>

#include "relay/desk/domain_orders.h"
#include "relay/desk/order_reach.h"

namespace relay {

class UnmeantBlocks {
 public:
  // All are borrowed.
  UnmeantBlocks(Transit* transit, const OrderReach* reach, const DomainOrders* domains)
      : transit_(transit), reach_(reach), domains_(domains) {}

  // There may be some at `at`. What comes while a look is under way is for the next.
  void look(conf::Instant at);
  // An order came to mean the path meanwhile.
  void spare(const queue::Path& path) {
    if (under_way()) meant_.insert(path.standing);
  }
  // True: a look is over.
  bool step(conf::Instant now);
  conf::Instant next_wake() const { return at_; }

 private:
  enum class Phase : uint8_t { kAsk, kFree };
  bool under_way() const { return phase_ == Phase::kFree || part_ > 0; }
  bool is_meant(const queue::Path& path, conf::Instant now) const;
  void free(queue::Path* path, conf::Instant now);

  Transit* transit_;
  const OrderReach* reach_;
  const DomainOrders* domains_;
  conf::Instant at_ = conf::kNever;     // the look under way, or the next one
  conf::Instant again_ = conf::kNever;  // the one after that
  Phase phase_ = Phase::kAsk;
  size_t part_ = 0;  // where the round goes on
  // Those that paths share. Kept alive for the round: another never has the address of one that was looked
  // at.
  std::set<std::shared_ptr<const mx::Standing>> meant_, freed_;
};

}  // namespace relay
