// The walk of a message through the relay: accepted, kept, routed, sent, settled, tried again, done. Owns
// every queued delivery and moves it from state to state: advance() says what is next for one at rest, and
// the parts below do the steps. Loop thread; time comes from the Clock, so that the simulation can own it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "relay/flow/counter_keeper.h"
#include "relay/flow/dispatcher.h"
#include "relay/flow/path_choice.h"
#include "relay/flow/site_table.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/domain_table.h"
#include "relay/queue/message_cache.h"
#include "relay/walk/acceptance.h"
#include "relay/walk/clock_keeper.h"
#include "relay/walk/delay_reports.h"
#include "relay/walk/errands.h"
#include "relay/walk/half_done.h"
#include "relay/walk/late_bounces.h"
#include "relay/walk/notices.h"
#include "relay/walk/own_verdicts.h"
#include "relay/walk/queue_orders.h"
#include "relay/walk/rerouting.h"
#include "relay/walk/resting.h"
#include "relay/walk/retirement.h"
#include "relay/walk/route_finder.h"
#include "relay/walk/route_watch.h"
#include "relay/walk/second_reading.h"
#include "relay/walk/settlement.h"
#include "relay/walk/signing.h"
#include "relay/walk/transit_parts.h"
#include "relay/walk/walk.h"

namespace relay {

class Transit final : private Walk, private DispatcherUser {
 public:
  explicit Transit(TransitParts parts);
  ~Transit() override;

  // At start: everything in the spool becomes a delivery again.
  conf::Status recover(const Acceptance::SetAside& set_aside);

  // The one way in; see Acceptance. False: the client must hear 4yz.
  bool accepting(std::string* why) const;
  conf::MessageId next_id() { return acceptance_.next_id(); }
  using AcceptDone = Acceptance::Done;
  void accept(spool::MessageRecord record, conf::Bytes body, AcceptDone done) {
    acceptance_.accept(std::move(record), std::move(body), std::move(done));
  }
  void withdraw(conf::MessageId id) { acceptance_.withdraw(id); }

  void step(conf::Instant now);  // all that is due and all that has been collected since the last step
  conf::Instant next_wake() const;

  void reload(conf::ConfigPtr config, mx::RuleBookPtr book);     // path by path, in the steps that follow
  void use(std::shared_ptr<const bounce::Qualifier> qualifier);  // for replies from now on
  // In place of those before. What waits on paths goes on waiting there; see QueueOrders::leave_paths().
  void hold_streams(std::vector<queue::StreamHold> holds);
  void stop();                              // nothing new is begun; what is being sent may end
  void look_for_ways() { watch_.hurry(); }  // another source, or another host, may take what waits
  bool quiet() const { return dispatcher_.connections() == 0; }
  void close();  // drops connections, writes down what is known, waits for the spool

  QueueOrders& orders() { return orders_; }
  Notices& notices() { return notices_; }
  // For those that look at the walk from above: operators, summaries.
  const spool::RelayClock& clock() const { return clock_; }  // of ages and due times
  const conf::ConfigPtr& config() const { return parts_.config; }
  const queue::DeliveryStore& deliveries() const { return deliveries_; }
  const queue::MessageCache& messages() const { return messages_; }
  const Resting& resting() const { return resting_; }
  const Attempts& attempts() const { return attempts_; }
  queue::DomainTable& domains() { return domains_; }
  queue::SiteTable& sites() { return sites_; }
  const queue::PathChoice& choice() const { return choice_; }
  CounterKeeper& counters() { return counters_; }
  RouteFinder& routes() { return routes_; }
  Dispatcher& dispatcher() { return dispatcher_; }
  const Dispatcher& dispatcher() const { return dispatcher_; }
  // For tests: paths with mail and leave to send, and nothing under way. None after a step.
  std::vector<std::string> neglected();

 private:
  void advance(queue::Delivery* delivery) override;
  void go(queue::Delivery* delivery, RouteFinder::Way way);
  void pause(queue::Delivery* delivery);
  void settled(queue::Delivery* delivery) override;
  void unreadable(queue::Delivery* delivery, const conf::Error& why) override;
  bool is_paused(const queue::Delivery& delivery) const override;
  bool is_over(const queue::Delivery& delivery, const conf::DestinationSettings& settings) const override;
  void renew_route(queue::Path* path);
  void forget(queue::Delivery* delivery);
  // What the spool has answered. False: nothing.
  bool drain_all() {
    bool any = false;
    while (parts_.spool->drain_completions() > 0) any = true;
    return any;
  }
  Answer next_errand(queue::Delivery* delivery, const queue::Path& path, const ErrandTerms& terms,
                     Errand* out, Later later) override;
  bool report(queue::Delivery* delivery, Report report) override;
  void waits_long(queue::Delivery* delivery, const queue::PathError& error,
                  const AttemptFacts& facts) override;
  void reroute(queue::Path* path) override { rerouting_.add(path); }
  conf::Instant expiry(const queue::Delivery& delivery, const conf::DestinationSettings& settings) override;
  void decided(const queue::Path& path, const std::vector<mx::Decision>& decisions);

  TransitParts parts_;
  ClockKeeper clock_keeper_;
  const spool::RelayClock& clock_;
  queue::DeliveryStore deliveries_;  // outlives the lists that its deliveries stand in
  queue::MessageCache messages_;
  queue::DomainTable domains_;
  queue::SiteTable sites_;
  Resting resting_;
  queue::PathChoice choice_;
  CounterKeeper counters_;
  Signing signing_;
  Acceptance acceptance_;
  DelayReports delay_reports_;
  RouteFinder routes_;
  Attempts attempts_;
  Settlement settlement_;
  OwnVerdicts verdicts_;
  Errands errands_;
  Retirement retirement_;
  HalfDone half_done_;
  Notices notices_;
  Dispatcher dispatcher_;
  Rerouting rerouting_;
  RouteWatch watch_;
  LateBounces late_;
  QueueOrders orders_;
  SecondReading second_reading_;
  conf::Instant next_sweep_{};
  bool stopping_ = false;
};

}  // namespace relay
