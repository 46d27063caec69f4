// Hands ready deliveries to connections: opens as many as the limits of a path allow, keeps idle ones for the
// next message, backs a path off when it fails, and gives deliveries up (for now) that waited too long for a
// failing path. Decides nothing about messages: its user does. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "relay/attempt.h"
#include "relay/outbound_connection.h"
#include "relay/queue/message_cache.h"
#include "relay/queue/path.h"

namespace relay {

class DispatcherUser {
 public:
  virtual ~DispatcherUser() = default;
  // Which recipients of the delivery (indices in its record) are to be tried now; none: nothing to do.
  virtual std::vector<uint32_t> recipients_now(queue::Delivery* delivery) = 0;
  // Whether the message of the delivery may be sent as it is. False: `then` is called later; an error says
  // why it must wait.
  virtual bool ready_to_send(queue::Delivery* delivery, std::function<void(conf::Status)> then) = 0;
  // Back with the user, pinned: its message must not be sent now.
  virtual void not_ready(queue::Delivery* delivery, const conf::Error& why, const AttemptFacts& facts) = 0;
  // One transaction is over. The delivery is still with the dispatcher.
  virtual void transaction_over(queue::Delivery* delivery, const std::vector<uint32_t>& recipients,
                                const std::vector<smtp::RecipientOutcome>& outcomes,
                                const AttemptFacts& facts) = 0;
  // The delivery is back with the user, pinned: all that could be tried was tried.
  virtual void delivery_over(queue::Delivery* delivery) = 0;
  // Back with the user, perhaps not pinned: its path fails, and it waited long enough.
  virtual void path_gave_up(queue::Delivery* delivery, const queue::PathError& error,
                            const AttemptFacts& facts) = 0;
  // Back with the user, not pinned: the spool could not give the message.
  virtual void load_failed(queue::Delivery* delivery, const conf::Error& why) = 0;
};

class Dispatcher final : public OutboundConnection::Owner {
 public:
  Dispatcher(conf::ConfigPtr config, queue::MessageCache* messages, Network* network,
             const conf::Clock* clock, conf::Random* random, DispatcherUser* user);
  ~Dispatcher() override;

  void add(queue::Delivery* delivery, queue::Path* path);  // becomes kReady, at the end
  void add_first(queue::Delivery* delivery);               // back to the front of the path it came from
  void remove(queue::Delivery* delivery);                  // kReady -> with the user
  void poke(queue::Path* path);                            // try again now: forget its back-off

  void step(conf::Instant now);
  conf::Instant next_wake() const;
  void reload(conf::ConfigPtr config) { config_ = std::move(config); }
  // No new connection and no new transaction; idle connections quit, running transactions end by themselves.
  void stop();
  void abandon();  // drops every connection; deliveries under way come back as not tried

  size_t connections() const { return connections_.size(); }
  size_t ready() const { return ready_; }
  size_t in_flight() const { return jobs_; }
  std::unordered_map<const queue::Path*, uint32_t> in_flight_by_path() const;

  void connection_ready(OutboundConnection* connection) override;
  void transaction_done(OutboundConnection* connection,
                        std::vector<smtp::RecipientOutcome> outcomes) override;
  void target_failed(OutboundConnection* connection, const Target& target) override;
  void connection_ended(OutboundConnection* connection) override;

 private:
  struct Job {
    queue::Delivery* delivery = nullptr;
    std::vector<uint32_t> recipients;  // still to be tried
    size_t in_transaction = 0;         // the first so many of them are in the running transaction
    conf::Instant picked_up{};
    conf::Instant began{};
    bool loading = false;
  };
  struct Slot {
    std::unique_ptr<OutboundConnection> connection;
    Job job;
    uint64_t number = 0;
  };

  void discard(OutboundConnection* connection);  // closes it at once
  void mark(queue::Path* path);
  void work(queue::Path* path, conf::Instant now);
  bool open(queue::Path* path);
  std::vector<Target> targets_for(queue::Path* path, conf::Instant now) const;
  bool may_go_on(const OutboundConnection* connection) const;  // with another transaction
  void take_next(Slot& slot);
  void loaded(uint64_t number, OutboundConnection* connection, queue::Delivery* delivery,
              conf::Result<queue::Message*> result);
  void prepare(Slot& slot);
  void prepared(uint64_t number, OutboundConnection* connection, queue::Delivery* delivery,
                const conf::Status& status);
  void begin(Slot& slot);
  void end_job(Slot& slot);
  void give_up_old(queue::Path* path, conf::Instant now);
  void path_failed(OutboundConnection* connection, conf::Instant now);
  void back_off(queue::Path* path, conf::Instant now);
  void set_wake(queue::Path* path, conf::Instant now);
  AttemptFacts facts_of(const Slot& slot) const;
  bool failing(const queue::Path* path) const { return path->backoff.count() > 0; }

  conf::ConfigPtr config_;
  queue::MessageCache* messages_;
  Network* network_;
  const conf::Clock* clock_;
  conf::Random* random_;
  DispatcherUser* user_;
  std::unordered_map<OutboundConnection*, Slot> connections_;
  std::vector<std::unique_ptr<OutboundConnection>> graveyard_;  // ended; freed at the end of the step
  std::vector<queue::Path*> dirty_;
  std::deque<queue::Path*> starved_;
  std::set<std::pair<conf::Instant, queue::Path*>> wakes_;
  uint64_t next_number_ = 1;
  size_t ready_ = 0;
  size_t jobs_ = 0;
  bool stopping_ = false;
};

}  // namespace relay
