// Orders to block that name streams: their mail rests, whatever its path, until no order holds them any more.
// Loop thread.
#pragma once

#include <cstddef>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/time.h"
#include "relay/admin/mx_view.h"
#include "relay/desk/order_book.h"
#include "relay/walk/transit.h"

namespace relay {

class StreamOrders {
 public:
  // Both are borrowed. What the book holds applies from now on.
  StreamOrders(Transit* transit, OrderBook* book) : transit_(transit), book_(book) { apply(); }

  void apply();  // the book is another one now
  // Notes the streams that `order` means, and how many of them another order holds.
  void name(const admin::MxOrder& order, conf::Instant now, admin::MxOrderDone* done) const;
  // Counts what is queued of these, and takes what they hold off its paths unless the order only counts: some
  // in each call, from `*part` on. False: that was all. Takes what it cost from `*budget`.
  bool reach_some(const admin::MxOrder& order, size_t* part, size_t* budget, admin::MxOrderDone* done);
  void tell_blocked(const admin::MxOrder& order, conf::Instant until, conf::Instant now);
  // `text`: "the order is lifted".
  void tell_end(const admin::MxOrder& order, const char* text);

 private:
  Transit* transit_;
  OrderBook* book_;
  std::vector<conf::MessageId> leaving_;  // found, and still on paths
};

// Of the orders on streams the one that holds this one longest; null: none does. O(orders)
const OrderBook::Entry* latest_of_stream(const std::string& stream, const std::vector<OrderBook::Entry>& all);

}  // namespace relay
