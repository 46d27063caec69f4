// Orders to block that name a domain follow it: it may come to lead to a path that others made, and leave
// one. Loop thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "relay/desk/order_reach.h"

namespace relay {

class DomainOrders {
 public:
  // Both are borrowed.
  DomainOrders(OrderBook* book, const OrderReach* reach) : book_(book), reach_(reach) {}

  // Looks where the orders lead, some in each step: at each once a second. `hold` hears of every path that
  // one of them leads to. True: a domain may have left a path.
  using Hold = std::function<void(queue::Path*, const OrderBook::Entry&)>;
  bool step(conf::Instant now, size_t sources, const Hold& hold);
  // A way of the domain was just found: `hold` hears at once, before mail goes there. O(1) for a domain that
  // no order names, else O(orders + sources).
  void found(const queue::DomainEntry& domain, conf::Instant now, const Hold& hold);
  // The orders are others now: looks anew, at once.
  void hurry(conf::Instant now);
  conf::Instant next_wake() const { return look_at_; }  // kNever: there are none
  // Which order holds a path longest, as all stands at present: good until an order, a route or a path
  // changes. An order whose domain leads nowhere at present, and led here, keeps what it holds: it means the
  // path too.
  class Latest {
   public:
    // Null: none means it. O(orders that name no domain)
    const OrderBook::Entry* of(const queue::Path& path) const;

   private:
    friend class DomainOrders;
    const OrderReach* reach_ = nullptr;
    std::vector<const OrderBook::Entry*> wide_;                            // that name no domain
    std::unordered_map<std::string, const OrderBook::Entry*> of_domains_;  // by the name of the path
  };
  // An order that is not counted any more.
  using Lifted = std::function<bool(const admin::MxOrder&)>;
  // Of the orders in force without those that `lifted` names. O(orders x sources)
  Latest latest(conf::Instant now, const Lifted& lifted = nullptr) const;

 private:
  using Names = std::set<std::string>;
  bool look(const OrderBook::Entry& entry, const Hold& hold);

  OrderBook* book_;
  const OrderReach* reach_;
  conf::Instant look_at_ = conf::kNever;
  size_t next_ = 0, of_ = 0;  // of the orders of this round, and their number when it began
  // By the domain that an order names, and its source: the paths where it led when it was looked at last,
  // and where it leads by this round.
  std::map<std::string, Names> led_to_, leads_;
  std::unordered_set<std::string> named_;  // the domains of the orders; of one that has ended, for a while
};

}  // namespace relay
