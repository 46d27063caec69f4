// The orders of operators about what is held against sites: block, unblock, reset. Loop thread.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "relay/admin/mx_view.h"
#include "relay/desk/domain_orders.h"
#include "relay/desk/order_book.h"
#include "relay/desk/order_reach.h"
#include "relay/desk/order_rounds.h"
#include "relay/desk/unmeant_blocks.h"
#include "relay/walk/transit.h"

namespace relay {

class LimitOrders {
 public:
  // A path that is made from now on comes under the orders that mean it, and one that they mean no more,
  // after an edit of the rules or because a domain leads elsewhere now, is freed.
  LimitOrders(Transit* transit, spool::Spool* spool);
  ~LimitOrders();
  LimitOrders(const LimitOrders&) = delete;
  LimitOrders& operator=(const LimitOrders&) = delete;

  // To all paths that are meant, and to what is held against sites that no path is open to. `done` hears in
  // time, at once where there are few paths.
  void carry_out(const admin::MxOrder& order, OrderRounds::Done done) {
    rounds_.take(order, std::move(done));
  }
  std::vector<admin::OrderView> in_force();  // the orders to block
  // Which orders are on streams, and which of them holds `stream` ("": none).
  void tell_streams(const std::string& stream, admin::Explanation* explanation);
  // Until when a path of this domain from this source under this rule would be held that is yet to come; the
  // past: it would not.
  conf::Instant held_until(const queue::DomainEntry& domain, const conf::Source& source,
                           const std::string& rule) const {
    return reach_.until_for(domain, source, rule, transit_->clock().now());
  }
  // An order that ends by itself opens a way for mail that waits beside it; one that names a domain follows
  // it.
  void step(conf::Instant now);
  conf::Instant next_wake() const {
    if (rounds_.under_way()) return {};
    return std::min({next_end_, domains_.next_wake(), unmeant_.next_wake()});
  }

 private:
  void place(queue::Path* path);
  void follow(const queue::DomainEntry& domain);
  void hold(queue::Path* path, const OrderBook::Entry& entry, conf::Instant now);
  void follow_edit(conf::Instant now);
  void follow_names();
  void tell_void(const conf::ConfigPtr& before, conf::Instant now);
  void tell(conf::DecisionAction action, const admin::MxOrder& order, const std::string& text);
  admin::OrderView view_of(const OrderBook::Entry& entry, conf::Instant now) const;

  Transit* transit_;
  OrderBook book_;
  OrderReach reach_;
  DomainOrders domains_;
  UnmeantBlocks unmeant_;
  OrderRounds rounds_;
  conf::Instant next_end_;  // of an order
  conf::ConfigPtr config_;  // by which the orders were looked at last; null: they were not
};

}  // namespace relay
