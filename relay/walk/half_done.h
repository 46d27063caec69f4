// Writes down what became of the recipients of a delivery. Some have ended while others of the same message
// are still under way: then soon, and not only when the last transaction of the attempt is over, which a slow
// server makes last for many minutes. A crash meanwhile would have the others written to again. Loop thread.
#pragma once

#include <chrono>
#include <deque>
#include <unordered_set>

#include "conf/vocab/envelope.h"
#include "conf/vocab/time.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/domain_table.h"
#include "relay/spool/spool.h"

namespace relay {

class HalfDone {
 public:
  static constexpr conf::Duration kPatience = std::chrono::seconds(1);

  // All are borrowed.
  HalfDone(spool::Spool* spool, const queue::DomainTable* domains, const queue::DeliveryStore* deliveries)
      : spool_(spool), domains_(domains), deliveries_(deliveries) {}

  // Now, if something changed and its message is in memory.
  void write_down(queue::Delivery* delivery);
  // In a while, with what changes of the same message until then.
  void add(const queue::Delivery& delivery, conf::Instant now);
  void step(conf::Instant now);
  conf::Instant next_wake() const {
    return waiting_.empty() ? conf::kNever : waiting_.front().since + kPatience;
  }

 private:
  struct Waiting {
    conf::MessageId id = 0;
    conf::Instant since{};
  };
  spool::Spool* spool_;
  const queue::DomainTable* domains_;
  const queue::DeliveryStore* deliveries_;
  std::deque<Waiting> waiting_;                // in the order of time
  std::unordered_set<conf::MessageId> known_;  // these: each message is gone through once
};

}  // namespace relay
