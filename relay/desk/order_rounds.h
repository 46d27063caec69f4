// Carries out orders about limits: block, unblock, reset. Each reaches all paths that it means, and what is
// held against sites that no path is open to, some in each step; what comes to be meanwhile comes under the
// order by the book. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "relay/admin/mx_view.h"
#include "relay/desk/domain_orders.h"
#include "relay/desk/order_reach.h"
#include "relay/desk/stream_orders.h"

namespace relay {

class OrderRounds {
 public:
  using Done = std::function<void(admin::MxOrderDone)>;
  // All are borrowed. `on_book` hears when the book has changed.
  OrderRounds(Transit* transit, OrderBook* book, const OrderReach* reach, const DomainOrders* domains,
              std::function<void()> on_book)
      : transit_(transit),
        book_(book),
        reach_(reach),
        domains_(domains),
        on_book_(std::move(on_book)),
        streams_(transit, book) {}

  // `done` hears at once where there is little to reach, else when the round is over. One order after the
  // other.
  void take(const admin::MxOrder& order, Done done);
  // An order of the book has ended by itself: tells of one on streams. Paths tell of theirs, see
  // UnmeantBlocks.
  void ended(const admin::MxOrder& order);
  void step(conf::Instant now);
  bool under_way() const { return !orders_.empty(); }

 private:
  enum class Phase : uint8_t { kBegin, kOtherNames, kPaths, kTogether, kDetached, kMail, kOver };
  struct Round {  // of one order
    admin::MxOrder order;
    Done heard;
    Phase phase = Phase::kBegin;
    size_t part = 0;  // where the phase goes on
    admin::MxOrderDone done;
    // Standings that were opened and that paths share, with what was told of it.
    std::map<std::shared_ptr<const mx::Standing>, std::vector<mx::Decision>> reached;
    std::vector<admin::MxOrder> others;  // other names of the place that is meant
    std::set<std::string> here;          // the paths that the domain of the order leads to
  };

  void begin(Round* round, conf::Instant now);
  void find_other_names(Round* round, conf::Instant now) const;
  void leave_wider_orders(Round* round, conf::Instant now, size_t* budget);
  static bool lifts(const Round& round, const admin::MxOrder& other);
  void lift(Round* round, conf::Instant now);
  void reach_paths(Round* round, conf::Instant now, size_t* budget);
  void to_path(Round* round, queue::Path* path, const DomainOrders::Latest& latest, conf::Instant now);
  bool lift_from(Round* round, queue::Path* path, const OrderBook::Entry* other, conf::Instant now);
  bool open_standing(Round* round, queue::Path* path, conf::Instant now);
  void reach_counted_together(Round* round, size_t* budget);
  static void note_automatic(Round* round, const mx::Standing& standing);
  void changed_book();
  void go_out(Round* round, conf::Instant now);
  void reach_detached(Round* round, conf::Instant now, size_t* budget);
  void finish(Round* round);
  std::vector<std::string> known_sites() const;

  Transit* transit_;
  OrderBook* book_;
  const OrderReach* reach_;
  const DomainOrders* domains_;
  std::function<void()> on_book_;
  StreamOrders streams_;
  std::deque<Round> orders_;  // the first is worked on
};

}  // namespace relay
