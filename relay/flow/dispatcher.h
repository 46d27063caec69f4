// Hands ready deliveries to connections: opens as many as the limits of a path allow, keeps idle ones for the
// next message, lets paths that are counted together take turns, and backs a path off when it fails. What may
// be opened or sent it asks the PathGate. Decides nothing about messages: its user does. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bounce/known_texts.h"
#include "bounce/qualifier.h"
#include "conf/config.h"
#include "relay/flow/dispatcher_user.h"
#include "relay/flow/login_pauses.h"
#include "relay/flow/outbound_connection.h"
#include "relay/flow/path.h"
#include "relay/flow/path_gate.h"
#include "relay/flow/peer_memory.h"
#include "relay/flow/shared_lines.h"
#include "relay/journal/attempt.h"
#include "relay/queue/message_cache.h"

namespace relay {

class Dispatcher final : public OutboundConnection::Owner {
 public:
  struct Parts {  // all are borrowed but the configuration
    conf::ConfigPtr config;
    queue::MessageCache* messages = nullptr;
    queue::SiteTable* sites = nullptr;
    const mx::Lease* lease = nullptr;
    Network* network = nullptr;
    const conf::Clock* clock = nullptr;
    conf::Random* random = nullptr;
    DispatcherUser* user = nullptr;
    std::shared_ptr<const bounce::Qualifier> qualifier;  // null: the shipped one
    // The limiter of the path decided something.
    std::function<void(const queue::Path&, const std::vector<mx::Decision>&)> decided;
    std::function<void(const queue::Path&, const ServerTrouble&)> trouble;  // may be null
    std::function<void(queue::Path*)> failing;  // its mail may have to go elsewhere; may be null
    Secrets* secrets = nullptr;                 // null: nobody logs in
  };
  explicit Dispatcher(Parts parts);
  ~Dispatcher() override;

  void add(queue::Delivery* delivery, queue::Path* path);  // becomes kReady, at the end
  void add_first(queue::Delivery* delivery);               // back to the front of the path it came from
  void remove(queue::Delivery* delivery);                  // kReady -> with the user
  void poke(queue::Path* path);                            // try again now: forget its back-off
  PathGate& gate() { return gate_; }

  void step(conf::Instant now);
  conf::Instant next_wake() const;
  void reload(conf::ConfigPtr config);
  void use(std::shared_ptr<const bounce::Qualifier> qualifier) { texts_.use(std::move(qualifier)); }
  // No new connection and no new transaction; idle connections quit, running transactions end by themselves.
  void stop();
  // No new transaction and no new connection until pause(false); running transactions end. Expiry waits too.
  void pause(bool yes);
  bool paused() const { return paused_; }
  void abandon();  // drops every connection; deliveries under way come back as not tried

  mx::Admission next_message(const queue::Path& path) const;  // see Forecast
  std::vector<const queue::Path*> neglected();                // see Transit
  size_t connections() const { return connections_.size(); }
  size_t ready() const { return ready_; }
  size_t in_flight() const { return jobs_; }
  std::unordered_map<const queue::Path*, uint32_t> in_flight_by_path() const;
  bool target_began(OutboundConnection* connection, const Target& target) override;
  void connection_ready(OutboundConnection* connection) override;
  void transaction_done(OutboundConnection* connection,
                        std::vector<smtp::RecipientOutcome> outcomes) override;
  void target_failed(OutboundConnection* connection, const Target& target) override;
  void tls_failed(OutboundConnection* connection, const Target& target, const std::string& why) override;
  void login_done(OutboundConnection* connection, const Target& target, bool good) override;
  void connection_ended(OutboundConnection* connection) override;

 private:
  struct Job {
    queue::Delivery* delivery = nullptr;
    std::vector<uint32_t> recipients;  // of the running transaction
    conf::Instant picked_up{};
    conf::Instant began{};
    std::string domain;    // of its recipients
    bool waiting = false;  // for the errand
  };
  struct Slot {
    std::unique_ptr<OutboundConnection> connection;
    Job job;
    PathGate::Use use;
    uint64_t number = 0;
    bool early = false;                     // opened before its message may go
    std::shared_ptr<SharedLine> room_of{};  // says QUIT to make room in it
    uint32_t most_messages = 0;  // that the server takes on a connection, as far as is known; 0: any
  };

  void discard(OutboundConnection* connection);  // closes it at once
  void mark(queue::Path* path);
  bool feed_starved();
  void starve(queue::Path* path, mx::Bind bind);
  void work(queue::Path* path, conf::Instant now);
  bool may_begin(queue::Path* path, conf::Instant now);  // over an idle connection, or over a new one
  void open(queue::Path* path, std::vector<Target> targets, bool early);
  bool open_one(queue::Path* path, bool early, conf::Instant now);  // of a line
  void use_idle(queue::Path* path);
  void work_lines(conf::Instant now);
  void make_room(const SharedLines::LinePtr& line, conf::Instant now);
  void send_in_turn(const SharedLines::LinePtr& line);
  bool open_in_turn(const SharedLines::LinePtr& line, conf::Instant now);
  void wait(const SharedLines::LinePtr& line, queue::Path* path, const mx::Admission& why);
  void open_more(queue::Path* path, conf::Instant now);
  std::vector<Target> targets_for(queue::Path* path, std::vector<mx::Admission>* refusals, uint32_t* budget,
                                  conf::Instant now);
  std::vector<Target> all_targets(const queue::Path* path, conf::Instant now,
                                  const std::function<bool(const std::string&)>& may) const;
  void no_address(queue::Path* path, conf::Instant now);
  mx::Admission may_send(const Slot& slot) const;
  // dispatcher_peers.cc
  std::vector<Target> targets_in_order(const queue::Path& path) const;
  bool is_failing(const queue::Path& path, const std::string& address, conf::Instant now) const;
  bool is_worse_than_needed(const OutboundConnection& connection, conf::Instant now) const;
  void learn(const OutboundConnection& connection, const Target& target);
  smtp::ExtensionSet left_out_for(const Target& target, const conf::PeerSettings& settings) const;
  void plan_login(const queue::Path& path, OutboundConnection::Plan* plan);
  void go_on_with(const std::string& login);
  conf::Instant login_until(const queue::Path& path) const;
  bool is_well(const queue::Path& path, const std::string& address, conf::Instant now) const;
  bool has_other_host(const OutboundConnection& connection, conf::Instant now) const;
  void try_next_host(const OutboundConnection& connection, queue::Delivery* delivery,
                     std::vector<smtp::RecipientOutcome>* outcomes);
  void tell(const queue::Path& path, const Target& target, bounce::Stage stage, std::string text) const;
  void bound_free_tries(queue::Delivery* delivery, std::vector<smtp::RecipientOutcome>* outcomes) const;
  void rest(Slot& slot);  // waits, open, for a message or for a limit
  void expire_waiting(queue::Path* path, conf::Instant now);
  conf::Duration patience(const queue::Path& path) const;
  void tell_long_wait(queue::Path* path, queue::Delivery* delivery, conf::Instant now);
  AttemptFacts waiting_facts(const queue::Path& path, const queue::Delivery& delivery,
                             conf::Instant now) const;
  bool may_take(Slot& slot);
  void take_next(Slot& slot);
  void take(Slot& slot, std::optional<uint32_t> sender);  // of this sender, or whose turn it is
  bool begin(Slot& slot, queue::Delivery* delivery);
  bool ask(Slot& slot);  // for the next errand of its delivery; false: the delivery is gone
  void answered(uint64_t number, OutboundConnection* connection, queue::Delivery* delivery,
                std::optional<Errand> errand);
  bool send(Slot& slot, Errand errand);  // false: the limits do not allow it now, and the delivery is gone
  void release(Slot& slot);              // its delivery goes back to the walk
  // dispatcher_acts.cc
  bool trouble(OutboundConnection* connection, Slot* slot, conf::Instant now);  // see PathGate::trouble
  void obey(queue::Path* path, const bounce::Qualification& meaning, const bounce::Reply& reply,
            conf::Instant now);
  void obey(const OutboundConnection& connection, std::vector<smtp::RecipientOutcome>* outcomes,
            conf::Instant now);
  bool leave_host(const OutboundConnection& connection, const bounce::Qualification& meaning,
                  conf::Instant now);
  void path_failed(OutboundConnection* connection, conf::Instant now);
  void path_broke(OutboundConnection* connection, conf::Instant now);
  void back_off(queue::Path* path, conf::Instant now);
  conf::Duration spread(conf::Duration pause) const;
  void set_wake(queue::Path* path, conf::Instant now);
  AttemptFacts facts_of(const Slot& slot) const;
  queue::PathError meant(const OutboundConnection& connection) const;  // why it failed, qualified

  conf::ConfigPtr config_;
  queue::MessageCache* messages_;
  queue::SiteTable* sites_;
  Network* network_;
  const conf::Clock* clock_;
  conf::Random* random_;
  DispatcherUser* user_;
  mutable bounce::KnownTexts texts_;
  std::function<void(const queue::Path&, const ServerTrouble&)> trouble_;
  std::function<void(queue::Path*)> failing_;
  Secrets* secrets_;
  LoginPauses logins_;
  PathGate gate_;
  SharedLines lines_;
  PeerMemory peers_;
  std::unordered_map<OutboundConnection*, Slot> connections_;
  std::vector<std::unique_ptr<OutboundConnection>> graveyard_;  // ended; freed at the end of the step
  std::deque<queue::Path*> dirty_;
  size_t opens_left_ = 0;  // in this step
  std::deque<queue::Path*> starved_;
  size_t resumed_ = 0;   // of starved_: those that waited for the end of a pause
  bool paused_ = false;  // see pause()
  // By time, then by turn: of two that wake together goes first who waited first.
  std::map<std::pair<conf::Instant, uint64_t>, queue::Path*> wakes_;
  uint64_t turns_ = 0;
  uint64_t next_number_ = 1;
  size_t ready_ = 0, jobs_ = 0;
  bool stopping_ = false;
};

}  // namespace relay
