// Does the loop stay quick with many sites and many blocked queues? Makes SITES sites with their counters,
// puts mail into QUEUES of them that an operator has blocked, ends all blocks at the same instant, and prints
// the longest single step of each phase. The real tables, limiter and dispatcher; a network that never
// answers and a clock of its own. Also a survey, a reload, a mass expiry on one path, and what is done with
// all of a queue of QUEUES messages (walk_lab.h).
//   penstock-blocked [SITES] [QUEUES]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "bench/blocked/phase.h"
#include "bench/blocked/source_lab.h"
#include "bench/blocked/walk_lab.h"
#include "mx/limits/lease.h"
#include "relay/desk/survey.h"
#include "relay/flow/dispatcher.h"
#include "relay/flow/path_choice.h"
#include "relay/flow/site_table.h"
#include "relay/host/page_return.h"
#include "relay/queue/delivery_store.h"
#include "relay/queue/domain_table.h"
#include "relay/queue/message_cache.h"
#include "relay/spool/memory_spool.h"

namespace {

using blocked::Phase;
using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class ManualClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return now_; }
  conf::WallTime wall() const override { return conf::WallTime(1'790'000'000s) + now_.time_since_epoch(); }
  void advance(conf::Duration by) { now_ += by; }

 private:
  conf::Instant now_{1s};
};

class DeafTransport final : public relay::Transport {
 public:
  void set_user(relay::TransportUser*) override {}
  void write(relay::OutQueue* out) override { out->clear(); }
  void start_tls(const TlsRequest&) override {}
  void pause_reading() override {}
  void resume_reading() override {}
  void set_deadline(conf::Instant) override {}
  void finish() override {}
  size_t unsent_bytes() const override { return 0; }
};

class DeafNetwork final : public relay::Network {
 public:
  std::unique_ptr<relay::Transport> connect(const relay::ConnectTarget&, relay::TransportUser*) override {
    ++connects;
    return std::make_unique<DeafTransport>();
  }
  size_t connects = 0;
};

class Nobody final : public relay::DispatcherUser {
 public:
  void reroute(relay::queue::Path* /*path*/) override {}
  void waits_long(relay::queue::Delivery*, const relay::queue::PathError&,
                  const relay::AttemptFacts&) override {}
  Answer next_errand(relay::queue::Delivery*, const relay::queue::Path&, const relay::ErrandTerms&,
                     relay::Errand*, Later) override {
    return Answer::kNone;
  }
  bool report(relay::queue::Delivery*, relay::Report) override {
    ++reports;
    return false;
  }
  conf::Instant expiry(const relay::queue::Delivery& delivery, const conf::DestinationSettings&) override {
    return delivery.id >= expiring_from ? valid_until : conf::kNever;
  }
  conf::MessageId expiring_from = UINT64_MAX;
  conf::Instant valid_until = conf::kNever;
  size_t reports = 0;
  size_t decisions = 0;
};

double resident_mb() {
  std::ifstream statm("/proc/self/statm");
  size_t size = 0, resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident) * 4096 / 1e6;
}

conf::MxRule rule() {
  conf::MxRule rule;
  rule.name = "general";
  rule.file = "bench";
  rule.line = 1;
  rule.mx.push_back({"*", 1});
  rule.fields.messages_per_hour = conf::RuleField<uint32_t>::set(10'000);
  rule.fields.thresholds = conf::RuleField<std::vector<conf::RuleThreshold>>::set({conf::RuleThreshold{}});
  return rule;
}

std::shared_ptr<conf::Config> one_source() {
  auto config = std::make_shared<conf::Config>();
  config->sources.emplace_back().name = "default";
  return config;
}

// The relay's tables and dispatcher, and what is done with them.
class Lab {
 public:
  Lab(size_t site_count, size_t queue_count) : site_count_(site_count), queue_count_(queue_count) {}
  void make_sites();
  void block();
  void rest();
  void end_blocks();
  void reload();
  void survey();
  void expire();

 private:
  relay::queue::Path* make_site(size_t index);

  const size_t site_count_;
  const size_t queue_count_;
  ManualClock clock_;
  conf::Random random_{1};
  std::shared_ptr<conf::Config> config_ = one_source();
  mx::BuiltRules rules_ = mx::build_rules({rule()});
  relay::spool::MemorySpool spool_;
  relay::queue::MessageCache messages_{&spool_, 1'000'000};
  relay::queue::DomainTable domains_;
  relay::queue::DeliveryStore deliveries_;
  relay::queue::SiteTable sites_{config_, rules_.book, &clock_};
  mx::Lease lease_;
  DeafNetwork network_;
  Nobody nobody_;
  relay::Dispatcher dispatcher_{{config_, &messages_, &sites_, &lease_, &network_, &clock_, &random_,
                                 &nobody_, nullptr,
                                 [this](const relay::queue::Path&, const std::vector<mx::Decision>& all) {
                                   nobody_.decisions += all.size();
                                 }}};
  std::vector<relay::queue::Path*> paths_;
  std::vector<uint32_t> numbers_;
};

relay::queue::Path* Lab::make_site(size_t index) {
  const std::string number = std::to_string(index);
  numbers_.push_back(domains_.intern(conf::Domain::from_canonical("d" + number + ".test")));
  relay::queue::DomainEntry& domain = domains_.at(numbers_.back());
  auto route = std::make_shared<mx::Route>();
  route->kind = mx::Route::Kind::kHosts;
  route->site = "mx" + number + ".test";
  route->hosts.push_back({route->site, 10, 25, {"127.0.0.1"}});
  domain.route = route;
  domain.settings = conf::settings_in(config_, domain.name.text());
  relay::queue::Path* path = relay::queue::PathChoice(&sites_, &random_).choose(&domain).path;
  sites_.traffic(path, {});
  return path;
}

void Lab::make_sites() {
  paths_.reserve(site_count_);
  numbers_.reserve(site_count_);
  const double before = resident_mb();
  {
    Phase phase("make sites (domain, route, path, counters)");
    for (size_t i = 0; i < site_count_; ++i) phase.run([&] { paths_.push_back(make_site(i)); });
  }
  std::printf("%-44s %9.0f bytes a site, all told\n", "memory",
              (resident_mb() - before) * 1e6 / static_cast<double>(site_count_));
}

void Lab::block() {
  Phase phase("block the queues and fill them");
  for (size_t i = 0; i < queue_count_; ++i) {
    phase.run([&] {
      paths_[i]->holds.order_until(clock_.now() + 1h);
      dispatcher_.add(deliveries_.add(i + 1, numbers_[i], clock_.now()), paths_[i]);
    });
  }
}

void Lab::rest() {
  {
    Phase phase("look at each blocked queue once");
    while (dispatcher_.next_wake() <= clock_.now()) phase.run([&] { dispatcher_.step(clock_.now()); });
  }
  {
    Phase phase("idle rounds while they are blocked");
    for (int i = 0; i < 100'000; ++i) phase.run([&] { dispatcher_.step(clock_.now()); });
  }
  {
    Phase phase("write the counters that changed");
    while (sites_.limiters().changed())
      phase.run([&] { sites_.limiters().take_changes({clock_.now(), clock_.wall()}, 1000); });
  }
  Phase phase("sweep the tables once");
  for (int i = 0; i < 4096; ++i) phase.run([&] { sites_.sweep(clock_.now()); });
}

void Lab::end_blocks() {
  lease_.renewed(clock_.now() + 2h);
  clock_.advance(1h);
  {
    Phase phase("all blocks end at the same instant");
    while (dispatcher_.next_wake() <= clock_.now() && network_.connects < config_->max_outbound_connections)
      phase.run([&] { dispatcher_.step(clock_.now()); });
  }
  std::printf("%zu connections opened, at most %u at a time; %zu decisions\n", network_.connects,
              config_->max_outbound_connections, nobody_.decisions);
}

void Lab::reload() {
  Phase phase("reload: all sites under a new configuration");
  phase.run([&] {
    domains_.forget_routes();
    sites_.reload(config_, rules_.book);
  });
  size_t with_mail = 0;
  for (bool more = true; more;)
    phase.run([&] { more = sites_.reload_some([&](relay::queue::Path*) { ++with_mail; }); });
}

void Lab::survey() {
  relay::Survey survey(&sites_, &dispatcher_);
  Phase phase("summary and gauges: a round over all sites");
  for (bool more = true; more;) phase.run([&] { more = !survey.step(clock_.now()); });
}

// Of a path with as many deliveries as there are queues, half are over at the same instant.
void Lab::expire() {
  relay::queue::Path* path = paths_.front();
  path->holds.order_until(clock_.now() + 100h);
  const uint32_t number = numbers_.front();
  {
    Phase phase("queue on one path");
    for (size_t i = 0; i < queue_count_; ++i)
      phase.run([&] { dispatcher_.add(deliveries_.add(10'000'000 + i, number, clock_.now()), path); });
  }
  nobody_.reports = 0;
  nobody_.expiring_from = 10'000'000 + queue_count_ / 2;
  nobody_.valid_until = clock_.now() + 1min;
  path->first_expiry = nobody_.valid_until;
  dispatcher_.step(clock_.now());
  clock_.advance(2min);
  Phase phase("half of them expire at once");
  while (nobody_.reports < queue_count_ - queue_count_ / 2) {
    phase.run([&] { dispatcher_.step(clock_.now()); });
    clock_.advance(1ms);
  }
}

}  // namespace

int main(int argc, char** argv) {
  relay::return_pages_beside();  // as the relay does
  const size_t sites = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const size_t queues = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 100'000;
  Lab lab(sites, std::min(sites, queues));
  lab.make_sites();
  lab.block();
  lab.rest();
  lab.survey();
  lab.reload();
  lab.expire();
  lab.end_blocks();
  blocked::run_walk_phases(std::min(sites, queues));
  blocked::run_source_phases(1000);
  std::printf("longest step of all: %.3f ms, %s\n", Phase::longest_of_all, Phase::slowest);
  std::fflush(stdout);
  std::_Exit(0);  // a million objects need not be freed one by one
}
