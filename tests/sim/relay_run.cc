#include "tests/sim/relay_run.h"

#include <algorithm>

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

void Log::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  events.push_back(event);
  moments.push_back(world_->now());
  if (!stuck) {
    world_->after(world_->between(1us, 5ms), [this, sequence] {
      if (!stuck) written_ = std::max(written_, sequence);
    });
  }
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
  const uint64_t life = ++life_;
  relay::TransitParts parts;
  parts.config = config_;
  parts.book = book;
  parts.spool = spool_;
  parts.journal = &log_->journal;
  parts.resolver = resolver_;
  parts.network = network_;
  timer_ = conf::kNever;
  syncing_ = false;
  signer_ = std::make_unique<Signer>(world_, sign_, [this, life] {
    world_->after(world_->between(1us, 200us), [this, life] {
      if (life == life_) round();
    });
  });
  parts.signer = signer_.get();
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
  if (by_event) return poke();
  tick(life);
  sync_soon(life);
}

void RelayRun::round() {
  transit_->step(world_->now());
  desk_->step(world_->now());
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
  round();
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

// The loop of the daemon: a round whenever the relay wants one, and every few milliseconds, as after each
// event.
void RelayRun::tick(uint64_t life) {
  if (life != life_) return;
  round();
  reception_->step();
  const conf::Instant wake = std::min(transit_->next_wake(), desk_->next_wake());
  const bool busy = !transit_->quiet() || reception_->connections() > 0 || spool_->waiting() > 0;
  const conf::Duration most = busy ? 3ms : 10min;
  const conf::Duration wait = std::clamp(wake - world_->now(), conf::Duration(100), conf::Duration(most));
  world_->after(wake == conf::kNever ? most : wait, [this, life] { tick(life); });
}

// The committer: a batch and its sync take a while.
void RelayRun::sync_soon(uint64_t life) {
  const bool idle = transit_->quiet() && reception_->connections() == 0;
  world_->after(idle ? world_->between(1s, 30s) : world_->between(100us, 8ms), [this, life] {
    if (life != life_) return;
    if (spool_->waiting() > 0) {
      spool_->run_batch();
      world_->after(world_->between(1us, 2ms), [this, life] {
        if (life != life_) return;
        round();
        reception_->step();
      });
    }
    sync_soon(life);
  });
}

}  // namespace sim
