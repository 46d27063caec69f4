#include "bench/blocked/walk_lab.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/blocked/phase.h"
#include "mx/dns/dns_cache.h"
#include "relay/desk/busiest_paths.h"
#include "relay/desk/census_taker.h"
#include "relay/desk/flow_rates.h"
#include "relay/desk/limit_orders.h"
#include "relay/spool/memory_spool.h"
#include "relay/walk/transit.h"

namespace blocked {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr size_t kMessagesPerDomain = 20;
constexpr size_t kAnswersPerStep = 16;
constexpr size_t kOrdersPerStep = 500;  // as the admin API asks
constexpr size_t kPathsShown = 1000;
constexpr size_t kLongLists = 20, kRecipients = 1000;
constexpr int kMostRounds = 1'000'000;

class HandClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return now_; }
  conf::WallTime wall() const override { return conf::WallTime(1'790'000'000s) + now_.time_since_epoch(); }
  void advance(conf::Duration by) { now_ += by; }

 private:
  conf::Instant now_{1h};
};

// Keeps each question until it is told to time out.
class SlowNames final : public mx::DnsTransport {
 public:
  void ask(const std::string&, mx::RecordType, Done done) override { asked_.push_back(std::move(done)); }
  void time_out(size_t most) {
    for (size_t i = 0; i < most && !asked_.empty(); ++i) {
      const Done done = std::move(asked_.front());
      asked_.pop_front();
      done(mx::DnsStatus::kTimeout, {}, "no answer");
    }
  }
  size_t asked() const { return asked_.size(); }

 private:
  std::deque<Done> asked_;
};

class NoNetwork final : public relay::Network {
 public:
  std::unique_ptr<relay::Transport> connect(const relay::ConnectTarget&, relay::TransportUser*) override {
    return nullptr;
  }
};

class WalkLab {
 public:
  WalkLab(size_t count, size_t of_a_domain) : count_(count), of_a_domain_(of_a_domain) {
    config_->hostname = "relay.test";
    config_->sources.resize(1);
    config_->sources[0].name = "default";
    relay::TransitParts parts;
    parts.config = config_;
    parts.spool = &spool_;
    parts.journal = &journal_;
    parts.resolver = &cache_;
    parts.network = &network_;
    parts.clock = &clock_;
    parts.random = &random_;
    transit_ = std::make_unique<relay::Transit>(std::move(parts));
    limits_ = std::make_unique<relay::LimitOrders>(transit_.get(), nullptr);
    spool_.on_completions_ready([this] { more_ = true; });
  }
  void fill();
  void start(const char* name);
  void count();
  void put_off(const char* name);
  void take_long_lists();
  template <typename Order>
  void order(const char* name, const Order& order);
  void status();
  void limit_order(const char* name, relay::admin::MxAction action);
  relay::QueueOrders& orders() { return transit_->orders(); }

 private:
  void step(Phase* phase) {
    more_ = false;
    phase->run([this] { transit_->step(clock_.now()); });
    spool_.run_batch();
  }
  // Until nothing is to be done at this moment.
  void settle(Phase* phase) {
    for (int i = 0; i < kMostRounds; ++i) {
      step(phase);
      if (names_.asked() > 0) {
        phase->run([this] { names_.time_out(kAnswersPerStep); });
      } else if (transit_->next_wake() > clock_.now() && spool_.waiting() == 0 && !more_) {
        if (++quiet_ > 2) break;
        continue;
      }
      quiet_ = 0;
    }
    quiet_ = 0;
  }

  const size_t count_;
  const size_t of_a_domain_;
  int quiet_ = 0;
  bool more_ = false;  // answers of the spool that wait for the next step
  HandClock clock_;
  conf::Random random_{1};
  std::shared_ptr<conf::Config> config_ = std::make_shared<conf::Config>();
  relay::spool::MemorySpool spool_;
  relay::journal::Journal journal_;
  SlowNames names_;
  mx::DnsCache cache_{config_->dns, &names_, &clock_};
  NoNetwork network_;
  std::unique_ptr<relay::Transit> transit_;
  std::unique_ptr<relay::LimitOrders> limits_;
  std::vector<conf::MessageId> ids_;
};

void WalkLab::fill() {
  for (size_t i = 0; i < count_; ++i) {
    relay::spool::MessageRecord record;
    record.id = spool_.next_id(clock_.wall());
    record.accepted_at = clock_.wall();
    ids_.push_back(record.id);
    const std::string domain = "n" + std::to_string(i / of_a_domain_) + ".test";
    record.recipients.push_back({{conf::Mailbox::parse("a@" + domain).value()}});
    record.recipients.back().due = clock_.wall();
    spool_.store(std::move(record), conf::Bytes("x\r\n"), [](const conf::Result<relay::spool::Receipt>&) {});
  }
  spool_.run_batch();
  spool_.drain_completions();
}

void WalkLab::start(const char* name) {
  const double began = cpu_ms();
  (void)transit_->recover([](const std::string&, const std::string&) {}).ok();
  std::printf("%zu messages read before the loop begins: %.1f ms\n", transit_->deliveries().messages(),
              cpu_ms() - began);
  Phase phase(name);
  while (transit_->next_wake() <= clock_.now()) step(&phase);
  std::printf("%zu questions in flight, %zu domains\n", names_.asked(), transit_->domains().size());
}

void WalkLab::count() {
  relay::CensusTaker taker(transit_.get(),
                           [](const auto&, const auto&, const auto&) { return conf::Instant{}; });
  taker.take("", [](const std::shared_ptr<const relay::admin::Census>&) {});
  Phase phase("census: a round over all deliveries");
  while (taker.under_way()) phase.run([&] { taker.step(clock_.now()); });
}

void WalkLab::put_off(const char* name) {
  Phase phase(name);
  settle(&phase);
}

// Messages with as many recipients as one may have, at as many domains.
void WalkLab::take_long_lists() {
  Phase handed("1,000 recipients: handed to the spool"),
      stored("1,000 recipients: on disk, to 1,000 domains");
  for (size_t i = 0; i < kLongLists; ++i) {
    relay::spool::MessageRecord record;
    record.id = transit_->next_id();
    for (size_t r = 0; r < kRecipients; ++r) {
      const std::string domain = "l" + std::to_string(i * kRecipients + r) + ".test";
      record.recipients.push_back({{conf::Mailbox::parse("somebody@" + domain).value()}});
    }
    handed.run([&] {
      transit_->accept(std::move(record), conf::Bytes("x\r\n"),
                       [](const conf::Result<relay::spool::Receipt>&) {});
    });
    spool_.run_batch();
    step(&stored);
    while (transit_->next_wake() <= clock_.now()) step(&stored);
  }
  Phase phase("1,000 recipients: all are put off");
  settle(&phase);
}

template <typename Order>
void WalkLab::order(const char* name, const Order& order) {
  Phase phase(name);
  for (size_t from = 0; from < ids_.size(); from += kOrdersPerStep) {
    phase.run([&] {
      for (size_t i = from; i < std::min(from + kOrdersPerStep, ids_.size()); ++i) order(ids_[i]);
    });
    spool_.run_batch();
    step(&phase);
  }
  settle(&phase);
}

void WalkLab::status() {
  for (size_t i = 0; i < count_; ++i) {
    const std::string name = "b" + std::to_string(i) + ".test";
    relay::queue::DomainEntry& domain =
        transit_->domains().at(transit_->domains().intern(conf::Domain::from_canonical(name)));
    auto route = std::make_shared<mx::Route>();
    route->kind = mx::Route::Kind::kHosts;
    route->site = "mx." + name;
    route->hosts.push_back({route->site, 10, 25, {"127.0.0.1"}});
    domain.route = route;
    transit_->routes().settings_of(&domain);
    transit_->choice().choose(&domain).path->holds.order_until(clock_.now() + 10h);
  }
  const relay::DecisionHistory decisions;
  const relay::FlowRates flow(&clock_);
  relay::BusiestPaths paths(transit_.get(), {.decisions = &decisions, .flow = &flow});
  Phase phase("mx status with all of them blocked");
  phase.run([&] { paths.take(kPathsShown, [](const std::vector<relay::admin::PathView>&) {}); });
  while (paths.under_way()) phase.run([&] { paths.step(clock_.now()); });
}

void WalkLab::limit_order(const char* name, relay::admin::MxAction action) {
  relay::admin::MxOrder order;
  order.action = action;
  order.all = true;
  order.automatic = true;
  bool done = false;
  Phase phase(name);
  phase.run([&] { limits_->carry_out(order, [&](const relay::admin::MxOrderDone&) { done = true; }); });
  while (!done) {
    step(&phase);
    phase.run([&] { limits_->step(clock_.now()); });
  }
  settle(&phase);
}

}  // namespace

void run_walk_phases(size_t count) {
  WalkLab lab(count, kMessagesPerDomain);
  lab.fill();
  lab.start("all are due at once, with cold DNS");
  lab.count();
  lab.put_off("no name server answers: all are put off");
  lab.order("retry everything", [&](conf::MessageId id) { lab.orders().retry(id); });
  lab.order("hold everything", [&](conf::MessageId id) { lab.orders().hold(id); });
  lab.order("release everything", [&](conf::MessageId id) { lab.orders().release(id); });
  lab.order("drop everything", [&](conf::MessageId id) { lab.orders().drop(id, "bench"); });
  lab.take_long_lists();
  lab.status();
  lab.limit_order("mx unblock everything", relay::admin::MxAction::kUnblock);
  lab.limit_order("mx block everything", relay::admin::MxAction::kBlock);
  lab.limit_order("mx reset everything", relay::admin::MxAction::kReset);
  WalkLab one(count, count);
  one.fill();
  one.start("one domain: all are due at once, cold DNS");
  one.put_off("one domain: no name server answers");
  std::fflush(stdout);
}

}  // namespace blocked
