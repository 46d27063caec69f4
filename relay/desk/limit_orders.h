// The orders of operators about what is held against sites: block, unblock, reset. Loop thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "relay/admin/mx_view.h"
#include "relay/desk/order_book.h"
#include "relay/walk/transit.h"

namespace relay {

class LimitOrders {
 public:
  // A path that is made from now on comes under the orders that mean it.
  LimitOrders(Transit* transit, spool::Spool* spool);
  ~LimitOrders();
  LimitOrders(const LimitOrders&) = delete;
  LimitOrders& operator=(const LimitOrders&) = delete;

  // To all paths that are meant, and to what is held against sites that no path is open to. O(paths x orders)
  admin::MxOrderDone carry_out(const admin::MxOrder& order);
  std::vector<admin::OrderView> in_force();  // the orders to block
  // An order that ends by itself opens a way for mail that waits beside it.
  void step(conf::Instant now);
  conf::Instant next_wake() const { return next_end_; }

 private:
  struct Work {  // of one order
    const admin::MxOrder* order = nullptr;
    conf::Instant now{}, until{};
    admin::MxOrderDone done;
    std::set<const mx::Standing*> reached;  // paths may share one
  };

  bool is_meant(const admin::MxOrder& order, const queue::Path& path) const;
  bool is_source(const std::string& name) const;
  bool covers(const admin::MxOrder& order, const admin::MxOrder& other) const;
  void to_path(Work* work, queue::Path* path);
  void to_detached(Work* work);
  void tell(const queue::Path& path, const admin::MxOrder& order);
  void place(queue::Path* path);
  const OrderBook::Entry* latest_for(const queue::Path& path, conf::Instant now);

  Transit* transit_;
  OrderBook book_;
  conf::Instant next_end_;  // of an order
};

}  // namespace relay
