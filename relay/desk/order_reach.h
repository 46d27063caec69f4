// Which paths an order about limits means. Loop thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/time.h"
#include "relay/admin/mx_view.h"
#include "relay/desk/order_book.h"
#include "relay/walk/transit.h"

namespace relay {

class OrderReach {
 public:
  // Both are borrowed.
  OrderReach(Transit* transit, OrderBook* book) : transit_(transit), book_(book) {}

  size_t orders(conf::Instant now) const { return book_->all(now).size(); }  // in force
  bool is_meant(const admin::MxOrder& order, const queue::Path& path) const;
  // Of the orders in force that mean the path the one that ends last; null: none does. Good until the book is
  // asked again. O(orders)
  const OrderBook::Entry* latest_for(const queue::Path& path, conf::Instant now) const;
  // The end of the latest order that would mean a path which is not there yet; the past: none would.
  // O(orders)
  conf::Instant until_for(const queue::DomainEntry& domain, const conf::Source& source,
                          const std::string& rule, conf::Instant now) const;
  // Those that the domain of the order leads to. O(sources)
  std::vector<queue::Path*> paths_of(const admin::MxOrder& order) const;
  // Whether the domain of `order` leads to what `site`, a mask, means.
  bool leads_to(const admin::MxOrder& order, const std::string& site) const;
  // Whether the counters of `site`, as their key names it, are of where the domain of `order` leads.
  bool is_led_to(std::string_view site, const admin::MxOrder& order) const;

 private:
  const mx::Route* route_of(const admin::MxOrder& order) const;  // null: none is known

  Transit* transit_;
  OrderBook* book_;
};

// Whether other paths have what is held against this one too, beside the table of all. Few do: only those
// need to be remembered.
inline bool has_shared_standing(const queue::Path& path) { return path.counters.standing.use_count() > 2; }
// What a path is called while it may come and go: never a pointer to what is gone.
std::string name_of(const queue::Path& path);

}  // namespace relay
