// The orders of operators about what is held against sites: block, unblock, reset. Loop thread.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "relay/admin/mx_view.h"
#include "relay/desk/order_book.h"
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

  // To all paths that are meant, and to what is held against sites that no path is open to. O(paths x orders)
  admin::MxOrderDone carry_out(const admin::MxOrder& order);
  std::vector<admin::OrderView> in_force();  // the orders to block
  // An order that ends by itself opens a way for mail that waits beside it; one that names a domain follows
  // it.
  void step(conf::Instant now);
  conf::Instant next_wake() const { return std::min({next_end_, follow_at_, free_at_}); }

 private:
  struct Work {  // of one order
    const admin::MxOrder* order = nullptr;
    conf::Instant now{}, until{};
    admin::MxOrderDone done;
    std::set<const mx::Standing*> reached;  // paths may share one
  };

  bool is_meant(const admin::MxOrder& order, const queue::Path& path) const;
  std::vector<std::string> known_sites() const;
  std::vector<queue::Path*> paths_of(const admin::MxOrder& order) const;
  std::vector<admin::MxOrder> other_names_of(const admin::MxOrder& order, conf::Instant now);
  void to_path(Work* work, queue::Path* path);
  void to_detached(Work* work);
  void tell(const queue::Path& path, const admin::MxOrder& order);
  void place(queue::Path* path);
  void hold(queue::Path* path, const OrderBook::Entry& entry, conf::Instant now);
  void follow_domains(conf::Instant now);
  bool may_be_meant(const queue::Path& path, conf::Instant now);
  void free_what_none_means(conf::Instant now);
  void free(const std::vector<queue::Path*>& paths, conf::Instant now);
  const OrderBook::Entry* latest_for(const queue::Path& path, conf::Instant now);

  Transit* transit_;
  OrderBook book_;
  conf::Instant next_end_;                  // of an order
  conf::Instant follow_at_ = conf::kNever;  // there are orders that name a domain
  conf::Instant free_at_ = conf::kNever;    // some path may be blocked without an order
  // By the domain that an order names, and its source: the paths where it led when it was looked at last.
  std::map<std::string, std::set<std::string>> led_to_;
};

}  // namespace relay
