// The walk of a message through the relay: accepted, kept, routed, sent, settled, tried again, done. Owns
// every queued delivery and moves it from state to state; advance() says what is next for one at rest.
// Loop thread; time comes from the Clock, so that the simulation can own it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "conf/config.h"
#include "mx/dns/route.h"
#include "relay/admin/backend.h"
#include "relay/flow/counter_keeper.h"
#include "relay/flow/dispatcher.h"
#include "relay/flow/site_table.h"
#include "relay/journal/events.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/domain_table.h"
#include "relay/queue/message_cache.h"
#include "relay/queue/scheduled.h"
#include "relay/smtp/server_session.h"
#include "relay/walk/clock_keeper.h"
#include "relay/walk/decision_history.h"
#include "relay/walk/errands.h"
#include "relay/walk/retirement.h"
#include "relay/walk/settlement.h"
#include "relay/walk/signing.h"
#include "relay/walk/survey.h"
#include "relay/walk/transit_parts.h"

namespace relay {

class Transit final : public smtp::Gate,
                      public admin::Backend,
                      private DispatcherUser,
                      private Errands::Owner,
                      private SettlementUser {
 public:
  explicit Transit(TransitParts parts);
  ~Transit() override;

  // At start: everything in the spool becomes a delivery again. `set_aside` hears of each corrupt record.
  conf::Status recover(const std::function<void(std::string key, std::string why)>& set_aside);

  // The one way in. `done` runs when the message is on disk (or is refused: the client must hear 4yz). In the
  // record are the id, from next_id(), the envelope and recipients without state.
  using AcceptDone = std::function<void(conf::Result<spool::Receipt>)>;
  void accept(spool::MessageRecord record, conf::Bytes body, AcceptDone done);
  conf::MessageId next_id();
  bool accepting(std::string* why) const override;
  void step(conf::Instant now);  // all that is due and all that has been collected since the last step
  conf::Instant next_wake() const;

  void reload(conf::ConfigPtr config, mx::RuleBookPtr book);     // is_reloading() until all of it holds
  void use(std::shared_ptr<const bounce::Qualifier> qualifier);  // for replies from now on
  bool is_reloading() const { return reloading_ || !to_reroute_.empty(); }
  void stop();         // nothing new is begun; what is being sent may end
  bool quiet() const;  // no connection is open
  void close();        // drops connections, writes down what is known, waits for the spool
  // For tests: paths with mail and leave to send, and nothing under way. None after a step.
  std::vector<std::string> neglected();
  admin::QueueSummary summary() override;
  admin::QueueSummary last_known() const override;
  uint64_t apply(admin::QueueAction action, const std::vector<conf::MessageId>& ids) override;
  std::string site_of(const std::string& domain) override;
  void explain(const std::string& domain, const std::string& source,
               std::function<void(admin::Explanation)> done) override;
  std::vector<admin::PathView> paths(size_t limit) override;
  admin::MxOrderDone order(const admin::MxOrder& order) override;
  std::function<uint64_t()> inbound_connections = [] { return uint64_t{0}; };  // for the summary
  std::function<std::vector<conf::DoorCount>()> refused_at_door;
  const spool::RelayClock& clock() const override { return clock_; }
  std::function<uint64_t()> log_lost = [] { return uint64_t{0}; };

 private:
  void enqueue(spool::MessageRecord record, conf::Bytes body);
  void adopt(const spool::MessageRecord& record);
  void log_endings(const spool::MessageRecord& record);
  void advance(queue::Delivery* delivery);
  void schedule(queue::Delivery* delivery);
  void park(queue::Delivery* delivery);
  void find_route(queue::Delivery* delivery);
  void look_up(queue::Delivery* delivery, queue::DomainEntry& domain);
  void begin_route(queue::DomainEntry& domain);
  void renew_route(queue::Path* path);
  void leave_old_way(const queue::DomainEntry& domain, const mx::RoutePtr& found);
  void route_found(uint32_t domain, mx::RoutePtr route, conf::Instant asked);
  void take_detour(queue::Delivery* delivery, queue::DomainEntry& domain, mx::RulePtr rule);
  void detour_found(uint32_t domain, mx::RoutePtr route, conf::Instant asked);
  void go_on(queue::DomainEntry& domain, conf::Instant asked);
  conf::SettingsPtr settings_of(queue::DomainEntry& domain);
  void follow(queue::Delivery* delivery, queue::DomainEntry& domain);
  void say_blocked(queue::Delivery* delivery, const queue::Path& path);
  void say_held_back(const queue::Delivery& delivery, const journal::HeldBack& by);
  void refuse_locally(queue::Delivery* delivery, bounce::Stage stage, bounce::Reply reply,
                      AttemptFacts facts);
  void reload_some();
  void publish(conf::Instant now);
  journal::Gauges gauges(conf::Instant now) const;
  void drop(queue::Delivery* delivery);
  void unpin(queue::Delivery* delivery);
  void forget(queue::Delivery* delivery);
  spool::RecipientSpan recipients_of(const queue::Delivery& delivery);  // it is in memory
  void write_down(queue::Delivery* delivery);
  std::vector<uint32_t> recipients_now(queue::Delivery* delivery) override;
  void nothing_due(queue::Delivery* delivery) override { settlement_.conclude(delivery); }
  void not_signed(queue::Delivery* delivery, const conf::Error& why, const AttemptFacts& facts) override;
  void report_unsigned(const queue::Message& message, const dkim::SignOutcome& outcome);
  Answer next_errand(queue::Delivery* delivery, const queue::Path& path, const ErrandTerms& terms,
                     Errand* out, Later later) override;
  bool report(queue::Delivery* delivery, Report report) override;
  void waits_long(queue::Delivery* delivery, const queue::PathError& error,
                  const AttemptFacts& facts) override;
  void refuse_vetoed(queue::Delivery* delivery, std::vector<uint32_t>* indices);
  smtp::RecipientOutcome own_refusal(bounce::Stage stage, bounce::Reply reply) const;
  void reroute(queue::Path* path) override;
  conf::Instant expiry(const queue::Delivery& delivery, const conf::DestinationSettings& settings) override;
  void decided(const queue::Path& path, const std::vector<mx::Decision>& decisions);
  void load_failed(queue::Delivery* delivery, const conf::Error& why) override;
  void settled(queue::Delivery* delivery) override;
  void fetch_body(queue::Delivery* delivery, std::function<void()> then) override;
  void report_stored(spool::MessageRecord record, conf::Bytes body) override;
  admin::Explanation explanation_of(queue::DomainEntry* domain, const std::string& source);
  void answer_asked(queue::DomainEntry& domain);
  bool is_asked(uint32_t domain) const;
  bool is_meant(const admin::MxOrder& order, const queue::Path& path) const;
  bool act(admin::QueueAction action, queue::Delivery* delivery);
  void keep_hold(conf::MessageId id, bool on_hold);

  TransitParts parts_;
  ClockKeeper clock_keeper_;
  const spool::RelayClock& clock_;   // of ages and due times
  queue::DeliveryStore deliveries_;  // outlives the lists that its deliveries stand in
  queue::MessageCache messages_;
  queue::DomainTable domains_;
  queue::Scheduled scheduled_;
  queue::SiteTable sites_;
  CounterKeeper counters_;
  mx::Router router_;
  Settlement settlement_;
  Signing signing_;
  Errands errands_;
  Retirement retirement_;
  Dispatcher dispatcher_;
  Survey survey_;
  journal::GaugeBoard gauges_;
  std::vector<AskedExplanation> asked_;
  DecisionHistory decisions_;
  conf::Instant started_, next_sweep_, next_survey_;
  size_t held_ = 0;  // deliveries
  bool stopping_ = false, reloading_ = false;
  std::deque<queue::Path*> to_reroute_;  // paths with mail that a reload has to go over
};

}  // namespace relay
