// What an operator may order for a message in the queue: retry, hold, release, drop. Each order is about all
// deliveries of the message and says whether it reached any. Loop thread.
#pragma once

#include <functional>

#include "conf/vocab/envelope.h"
#include "relay/flow/dispatcher.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/message_cache.h"
#include "relay/spool/relay_clock.h"
#include "relay/spool/spool.h"
#include "relay/walk/resting.h"
#include "relay/walk/walk.h"

namespace relay {

class QueueOrders {
 public:
  struct Parts {  // all are borrowed
    spool::Spool* spool = nullptr;
    const spool::RelayClock* clock = nullptr;
    const queue::DeliveryStore* deliveries = nullptr;
    queue::MessageCache* messages = nullptr;
    Resting* resting = nullptr;
    Dispatcher* dispatcher = nullptr;
    Walk* walk = nullptr;
  };
  explicit QueueOrders(Parts parts) : parts_(parts) {}

  bool retry(conf::MessageId id);  // due now, with all of its recipients; not what is held
  // The same, with those of its deliveries that are meant.
  bool retry(conf::MessageId id, const std::function<bool(const queue::Delivery&)>& which);
  bool hold(conf::MessageId id);     // what is being sent: when that ends; kept over a restart
  bool release(conf::MessageId id);  // due now
  bool drop(conf::MessageId id);     // its recipients end; no report is sent

 private:
  template <typename Act>
  bool for_each_of(conf::MessageId id, const Act& act);
  bool retry(queue::Delivery* delivery);
  bool release(queue::Delivery* delivery);
  void due_now(queue::Delivery* delivery);
  void take_from_rest(queue::Delivery* delivery);
  void forget_holds(queue::Message* message);
  void keep_hold(conf::MessageId id, bool on_hold);

  Parts parts_;
};

}  // namespace relay
