#include "tests/sim/relay_run.h"

#include <algorithm>

#include "conf/vocab/check.h"

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

void Log::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  events.push_back(event);
  moments.push_back(world_->now());
  written.push_back(conf::kNever);
  CHECK(sequence == events.size());
  if (stuck) return;
  world_->after(world_->between(1us, 5ms), [this, sequence] {
    if (stuck) return;
    for (; through_ < sequence; ++through_) written[through_] = world_->now();
  });
}

RelayRun::RelayRun(World* world, conf::ConfigPtr config, mx::Resolver* resolver, Network* network,
                   relay::spool::MemorySpool* spool, Log* log, bool sign)
    : world_(world),
      config_(std::move(config)),
      resolver_(resolver),
      network_(network),
      spool_(spool),
      log_(log),
      sign_(sign) {}

RelayRun::~RelayRun() {
  ++life_;
  desk_.reset();
  reception_.reset();
  transit_.reset();
}

void RelayRun::start() {
  ++life_;
  relay::TransitParts parts;
  parts.config = config_;
  parts.book = book;
  parts.spool = spool_;
  parts.journal = &log_->journal;
  parts.resolver = resolver_;
  parts.network = network_;
  spool_->on_completions_ready([this] {
    if (poking_) world_->after(100us, [] {});  // there are more answers than one step takes
  });
  timer_ = conf::kNever;
  syncing_ = false;
  signer_ = std::make_unique<Signer>(world_, sign_, [this] {
    world_->after(world_->between(1us, 200us), [] {});  // the round that follows takes what is signed
  });
  parts.signer = signer_.get();
  converter_ = std::make_unique<Converter>(world_);
  parts.converter = converter_.get();
  parts.clock = world_;
  parts.boot = world_->boot;
  parts.random = &world_->random;
  transit_ = std::make_unique<relay::Transit>(std::move(parts));
  const conf::Status recovered = transit_->recover([](const std::string&, const std::string&) {});
  CHECK(recovered.ok());
  reception_ = std::make_unique<relay::Reception>(config_, transit_.get(), world_, nullptr, nullptr);
  relay::Desk::Parts watched;
  watched.transit = transit_.get();
  watched.spool = spool_;
  watched.journal = &log_->journal;
  watched.metrics = &log_->metrics;
  desk_ = std::make_unique<relay::Desk>(std::move(watched));
  poke();
}

void RelayRun::close() {
  transit_->close();
  crash();  // all is written: what is forgotten are the answers to those that are gone
}

void RelayRun::reload(conf::ConfigPtr config, mx::RuleBookPtr rules) {
  config_ = std::move(config);
  book = std::move(rules);
  if (transit_ == nullptr) return;
  transit_->reload(config_, book);
  reception_->reload(config_);
}

void RelayRun::poke() {
  if (transit_ == nullptr) return;
  const conf::Instant now = world_->now();
  poking_ = true;
  transit_->step(now);
  poking_ = false;
  desk_->step(now);
  reception_->step();
  after_step();
  if (spool_->waiting() > 0 && !std::exchange(syncing_, true)) {
    world_->after(world_->between(100us, 8ms), [this, life = life_] {
      if (life != life_) return;
      syncing_ = false;
      spool_->run_batch();
    });
  }
  const conf::Instant wake = std::min(transit_->next_wake(), desk_->next_wake());
  if (wake == conf::kNever || wake >= timer_) return;
  timer_ = std::max(wake, now + 100us);
  world_->after(timer_ - now, [this, at = timer_, life = life_] {
    if (life == life_ && at == timer_) timer_ = conf::kNever;
  });
}

void RelayRun::crash() {
  ++life_;
  desk_.reset();
  reception_.reset();
  transit_.reset();
  signer_.reset();
  converter_.reset();
  spool_->crash();
}

std::unique_ptr<relay::Transport> RelayRun::connect_client() {
  auto [ours, theirs] = make_stream_pair(world_);
  relay::Accepted accepted;
  accepted.transport = std::move(theirs);
  accepted.client_address = "127.0.0.1";
  reception_->accept("main", false, std::move(accepted));
  return std::move(ours);
}

}  // namespace sim
