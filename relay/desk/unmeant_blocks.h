// Frees the paths that an order blocked and none means any more: after an edit of the rules, because a domain
// leads elsewhere now, or because the order was lifted while nobody knew where its domain leads. Those that a
// shorter order still means wait for the end of that one. Where an order has ended by itself that is told. A
// round over all paths, some in each step. Loop thread.
#pragma once

#include <cstddef>

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
  // True: a look is over.
  bool step(conf::Instant now);
  conf::Instant next_wake() const { return at_; }

 private:
  bool under_way() const { return part_ > 0; }
  void settle(queue::Path* path, const DomainOrders::Latest& latest, conf::Instant now);

  Transit* transit_;
  const OrderReach* reach_;
  const DomainOrders* domains_;
  conf::Instant at_ = conf::kNever;     // the look under way, or the next one
  conf::Instant again_ = conf::kNever;  // the one after that
  size_t part_ = 0;                     // where the round goes on
};

}  // namespace relay
