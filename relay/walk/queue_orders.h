// What an operator may order for a message in the queue: retry, hold, release, drop, fail. Each order is
// about all deliveries of the message and says whether it reached any; of a message with very many some
// follow in the next steps. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/parted_map.h"
#include "relay/flow/dispatcher.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/domain_table.h"
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
    const queue::DomainTable* domains = nullptr;
    queue::MessageCache* messages = nullptr;
    Resting* resting = nullptr;
    Dispatcher* dispatcher = nullptr;
    Walk* walk = nullptr;
  };
  explicit QueueOrders(Parts parts) : parts_(parts) {}

  bool retry(conf::MessageId id);  // due now, with all of its recipients; not what is held
  // The same, with those of its deliveries that are meant.
  bool retry(conf::MessageId id, const std::function<bool(const queue::Delivery&)>& which);
  bool hold(conf::MessageId id);     // what is being sent: when that ends; kept over a restart and rules
  bool release(conf::MessageId id);  // due now
  // What waits for a connection, although an order keeps its stream back: goes to where it waits for the end
  // of that. Returns how many deliveries of the message were looked at.
  size_t leave_paths(conf::MessageId id);
  // Releases what a reply rule holds of the message at these domains, unless an operator holds it too. Its
  // record is read first.
  void end_holds(conf::MessageId id, std::vector<uint32_t> domains);
  size_t ending_holds() const { return ending_holds_; }  // messages whose records are being read for that
  // For good, by order of `who`: its recipients end, without a report, or fail, with one to the sender.
  bool drop(conf::MessageId id, const std::string& who);
  bool fail(conf::MessageId id, const std::string& who);
  std::string giver_of(conf::MessageId id) const;  // of the latest of these; "": not known
  void left(conf::MessageId id);                   // one of its deliveries has left the queue

 private:
  bool end(conf::MessageId id, const std::string& who, bool with_report);
  void note(conf::MessageId id, const std::string& who);
  template <typename Act>
  bool for_each_of(conf::MessageId id, const Act& act);
  bool retry(queue::Delivery* delivery);
  bool release(queue::Delivery* delivery);
  void due_now(queue::Delivery* delivery);
  void take_from_rest(queue::Delivery* delivery);
  void go_on(queue::Delivery* delivery);
  void forget_holds(queue::Message* message, spool::RecipientSpan recipients);
  void keep_hold(conf::MessageId id, bool on_hold);

  Parts parts_;
  size_t ending_holds_ = 0;
  // Who gave each message up, while it is here.
  conf::PartedMap<conf::MessageId, std::shared_ptr<const std::string>> givers_;
  std::shared_ptr<const std::string> last_giver_;
  size_t gone_on_ = 0;  // deliveries, by the order that is being carried out
};

}  // namespace relay
