// Hands ready deliveries to connections. It is told what happens to mail, paths and connections, and works in
// steps; what it knows and does lies in its parts: WaitingMail and WorkList (what waits, what is to be done),
// PathGate (what the limits allow), Hosts, Logins and BackOff (where a path leads and when), Opener,
// Connections and Jobs (how mail goes), LineTurns (who of the paths that are counted together), FreeTries and
// PathActs (what follows from refusals). Decides nothing about messages: its user does. Loop thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bounce/known_texts.h"
#include "bounce/qualifier.h"
#include "conf/config.h"
#include "relay/flow/back_off.h"
#include "relay/flow/connections.h"
#include "relay/flow/dispatcher_user.h"
#include "relay/flow/flow_state.h"
#include "relay/flow/free_tries.h"
#include "relay/flow/hosts.h"
#include "relay/flow/jobs.h"
#include "relay/flow/line_turns.h"
#include "relay/flow/logins.h"
#include "relay/flow/opener.h"
#include "relay/flow/outbound_connection.h"
#include "relay/flow/path.h"
#include "relay/flow/path_acts.h"
#include "relay/flow/path_gate.h"
#include "relay/flow/server_troubles.h"
#include "relay/flow/shared_lines.h"
#include "relay/flow/waiting_mail.h"
#include "relay/flow/work_list.h"
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
    ServerTroubles::Hear trouble;               // may be null
    std::function<void(queue::Path*)> failing;  // its mail may have to go elsewhere; may be null
    Secrets* secrets = nullptr;                 // null: nobody logs in
  };
  explicit Dispatcher(Parts parts);
  ~Dispatcher() override;

  void add(queue::Delivery* delivery, queue::Path* path) { mail_.add(delivery, path); }  // see WaitingMail
  void add_first(queue::Delivery* delivery) { mail_.add_first(delivery); }
  void remove(queue::Delivery* delivery) { mail_.remove(delivery); }
  void poke(queue::Path* path);  // try again now: forget its back-off
  // Connections that rest at counters which are not those of the path any more say QUIT.
  void end_outdated(queue::Path* path) { jobs_.end_outdated(path); }
  PathGate& gate() { return gate_; }

  // Bounded, so that the loop serves its connections even when 100,000 paths wake at the same instant.
  void step(conf::Instant now);
  conf::Instant next_wake() const;
  // The operator may have mended a login: what waits for one tries at once.
  void reload(conf::ConfigPtr config);
  void use(std::shared_ptr<const bounce::Qualifier> qualifier) { texts_.use(std::move(qualifier)); }
  // No new connection and no new transaction; idle connections quit, running transactions end by themselves.
  void stop();
  // No new transaction and no new connection until pause(false); running transactions end. Expiry waits too.
  void pause(bool yes);
  bool paused() const { return flow_.paused; }
  void abandon();  // drops every connection; deliveries under way come back as not tried

  mx::Admission next_message(queue::Path* path);     // see Forecast
  bool awaits_rules(const queue::Path& path) const;  // see SiteTable
  const Logins& logins() const { return logins_; }
  std::vector<const queue::Path*> neglected();  // see Transit
  // What a delivery that is being sent waits long for; kNone: nothing.
  conf::Stage silent_to(const queue::Delivery& delivery) const { return connections_.silent_to(delivery); }
  size_t connections() const { return connections_.size(); }
  size_t ready() const { return mail_.size(); }
  size_t in_flight() const { return jobs_.running(); }
  std::unordered_map<const queue::Path*, uint32_t> in_flight_by_path() const {
    return connections_.in_flight_by_path();
  }

  bool may_hear(OutboundConnection* connection, size_t octets) override;
  bool target_began(OutboundConnection* connection, const Target& target) override;
  void connection_ready(OutboundConnection* connection) override;
  void transaction_done(OutboundConnection* connection,
                        std::vector<smtp::RecipientOutcome> outcomes) override;
  void target_failed(OutboundConnection* connection, const Target& target) override;
  void tls_failed(OutboundConnection* connection, const Target& target, const std::string& why) override;
  void login_done(OutboundConnection* connection, const Target& target, bool good) override;
  void connection_ended(OutboundConnection* connection) override;

 private:
  void work(queue::Path* path, conf::Instant now);
  void work_together(queue::Path* path, conf::Instant now);  // it stands in a shared line
  void set_wake(queue::Path* path, conf::Instant now);
  void hear_some();
  bool feed_starving();
  bool tell_slow(const OutboundConnection& connection);  // false: it is to be looked at again
  void look_for_silence(const Slot& slot);
  void discard(OutboundConnection* connection);                  // closes it at once
  queue::PathError meant(const OutboundConnection& connection);  // why it failed, with its meaning
  // Tells the limits and obeys the rules about a failure. True: we were asked to come slower.
  bool take_trouble(const OutboundConnection& connection, const PathGate::Use& use,
                    const queue::PathError& error, conf::Instant now);

  struct Unheard {
    OutboundConnection* connection;
    uint64_t number, octets;
  };
  std::deque<Unheard> unheard_;
  uint64_t may_hear_ = 0;  // in this step, and until the next one
  FlowState flow_;
  queue::SiteTable* sites_;
  std::function<void(queue::Path*)> failing_;
  bounce::KnownTexts texts_;
  ServerTroubles troubles_;
  WorkList work_;
  SharedLines lines_;
  PathGate gate_;
  Hosts hosts_;
  Logins logins_;
  BackOff back_off_;
  WaitingMail mail_;
  Connections connections_;
  Opener opener_;
  Jobs jobs_;
  LineTurns turns_;
  PathActs acts_;
  FreeTries free_tries_;
};

}  // namespace relay
