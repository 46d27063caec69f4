// Where operators are served: the admin API's way into the running relay. Looks down at the walk and the
// flow, which know nothing of it. Loop thread, but for what Backend says.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/admin/backend.h"
#include "relay/desk/busiest_paths.h"
#include "relay/desk/census_taker.h"
#include "relay/desk/limit_orders.h"
#include "relay/desk/overview.h"
#include "relay/desk/path_history.h"
#include "relay/desk/path_views.h"
#include "relay/walk/transit.h"

namespace relay {

class Desk final : public admin::Backend {
 public:
  using ReloadHeard = std::function<void(const admin::ReloadDone&)>;
  struct Parts {  // all are borrowed and outlive the desk
    Transit* transit = nullptr;
    spool::Spool* spool = nullptr;        // keeps the orders; null: a restart forgets them
    journal::Journal* journal = nullptr;  // the desk is one of its feeds
    const journal::Metrics* metrics = nullptr;
    // Of the rooms beside the walk, for the summary.
    std::function<uint64_t()> inbound_connections = [] { return uint64_t{0}; };
    std::function<uint64_t()> log_lost = [] { return uint64_t{0}; };
    std::function<std::vector<conf::DoorCount>()> refused_at_door = [] {  // any thread
      return std::vector<conf::DoorCount>();
    };
    std::function<journal::QuarantineGauges()> quarantine = [] { return journal::QuarantineGauges(); };
    std::function<void(ReloadHeard)> reload = [](const ReloadHeard& done) { done({}); };
    std::function<std::string(const conf::Mailbox&)> barred = [](const conf::Mailbox&) {
      return std::string();
    };
  };
  explicit Desk(Parts parts);
  ~Desk() override;

  // After each step of the walk.
  void step(conf::Instant now) {
    limits_.step(now);
    overview_.step(now);
    census_.step(now);
    busiest_.step(now);
    views_.step(now);
  }
  conf::Instant next_wake() const {
    const bool busy = overview_.is_under_way() || census_.under_way() || busiest_.under_way();
    return busy ? conf::Instant{}
                : std::min({limits_.next_wake(), overview_.next_wake(), views_.next_wake()});
  }

  admin::QueueSummary summary() override;
  admin::QueueSummary last_known() const override { return overview_.last_known(); }
  bool apply(conf::QueueAction action, conf::MessageId id, const std::string& who) override;
  void ordered(conf::QueueOrder order) override;
  std::string paused_stream(conf::MessageId id) override;
  bool is_queued(conf::MessageId id) override { return parts_.transit->deliveries().find(id) != nullptr; }
  std::string site_of(const std::string& domain) override;
  void explain(const std::string& domain, const std::string& source, const std::string& stream,
               std::function<void(admin::Explanation)> done) override;
  std::string barred(const std::string& address) override;
  void census(const std::string& domain,
              std::function<void(std::shared_ptr<const admin::Census>)> done) override {
    census_.take(domain, std::move(done));
  }
  std::vector<admin::DeliveryView> deliveries_of(conf::MessageId id) override;
  void paths(size_t limit, std::function<void(std::vector<admin::PathView>)> done) override {
    busiest_.take(limit, std::move(done));
  }
  void order(const admin::MxOrder& order, std::function<void(admin::MxOrderDone)> done) override {
    limits_.carry_out(order, std::move(done));
  }
  std::vector<admin::OrderView> orders() override { return limits_.in_force(); }
  void reload(ReloadHeard done) override;
  const spool::RelayClock& clock() const override { return parts_.transit->clock(); }

 private:
  Parts parts_;
  DecisionHistory decisions_;
  FlowRates flow_;
  journal::ResultTallies results_;
  Overview overview_;
  PathViews views_;
  BusiestPaths busiest_;
  DomainHolds::OrderedUntil ordered_;
  CensusTaker census_;
  LimitOrders limits_;
};

}  // namespace relay
