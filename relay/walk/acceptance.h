// The first step of the walk: a message is put on disk, and becomes one delivery for each of its recipient
// domains. So do our own reports, and at the start all that is in the spool. Loop thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "conf/config.h"
#include "relay/flow/stream_table.h"
#include "relay/journal/journal.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/domain_table.h"
#include "relay/queue/message_cache.h"
#include "relay/spool/relay_clock.h"
#include "relay/spool/spool.h"
#include "relay/walk/signing.h"
#include "relay/walk/walk.h"
#include "relay/walk/witness.h"

namespace relay {

class Acceptance {
 public:
  struct Parts {  // all are borrowed but the configuration
    conf::ConfigPtr config;
    spool::Spool* spool = nullptr;
    journal::Journal* journal = nullptr;
    const spool::RelayClock* clock = nullptr;
    Signing* signing = nullptr;
    queue::MessageCache* messages = nullptr;
    queue::DomainTable* domains = nullptr;
    queue::DeliveryStore* deliveries = nullptr;
    queue::StreamTable* streams = nullptr;
    Walk* walk = nullptr;        // gets each new delivery: kNew, due now
    Witness* witness = nullptr;  // sees what is in the spool at the start; may be null
    // Sees each message that is queued, before its deliveries are; may be empty.
    std::function<void(const spool::MessageRecord&)> queued;
  };
  explicit Acceptance(Parts parts) : parts_(std::move(parts)) {}

  // False, with the reason: the spool is full, or the queue.
  bool has_room(std::string* why) const;
  conf::MessageId next_id() { return parts_.spool->next_id(parts_.clock->wall()); }
  // `done` runs when the message is on disk, or with why it is not. In the record are the id, from next_id(),
  // the envelope and recipients without state.
  using Done = std::function<void(conf::Result<spool::Receipt>)>;
  void accept(spool::MessageRecord record, conf::Bytes body, Done done);
  // The client heard 4yz before `done` ran, and will send the message again. Once it is on disk it is removed
  // undelivered, and `done` gets kUnavailable. A crash before that delivers it: twice, at worst. Nothing
  // happens to a message that is not on its way to the disk.
  void withdraw(conf::MessageId id);
  // A message that is on disk already. It becomes deliveries at once, or, when many recipients came in this
  // step of the loop, in one of the next: a message may have thousands.
  void take(spool::MessageRecord record, conf::Bytes body);
  void step();  // so many more of them
  bool may_go_on() const { return !waiting_.empty() || !fresh_.empty(); }

  // At start: everything in the spool becomes a delivery again, and is shown to `use` (kNew; hold_wanted if
  // an operator held it). `set_aside` hears of each corrupt record.
  using SetAside = std::function<void(std::string key, std::string why)>;
  conf::Status recover(const SetAside& set_aside, const std::function<void(queue::Delivery*)>& use);

  void reload(conf::ConfigPtr config) { parts_.config = std::move(config); }

 private:
  // A delivery is made in 2 us, and begun in some 10 where it asks for a route: 3 ms in a step.
  static constexpr size_t kMake = 1, kBegin = 4, kPerStep = 1024;
  void adopt(const spool::MessageRecord& record, const std::function<void(queue::Delivery*)>& use);
  void log_endings(const spool::MessageRecord& record);

  struct Waiting {
    spool::MessageRecord record;
    conf::Bytes body;
  };
  void make_deliveries(spool::MessageRecord record, conf::Bytes body);
  void begin_some();

  Parts parts_;
  std::unordered_map<conf::MessageId, bool> storing_;  // on their way to the disk; whether withdrawn
  std::deque<Waiting> waiting_;                        // stored, without deliveries yet
  std::deque<queue::Delivery*> fresh_;                 // kNew: the walk does not know them yet
  size_t left_ = kPerStep;
};

}  // namespace relay
