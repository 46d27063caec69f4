// The relay inside the simulation: the daemon's own parts over the simulated network, spool and clock. It can
// be crashed and started again at any moment.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conf/config.h"
#include "relay/desk/desk.h"
#include "relay/intake/reception.h"
#include "relay/journal/journal.h"
#include "relay/journal/metrics.h"
#include "relay/spool/memory_spool.h"
#include "relay/walk/transit.h"
#include "tests/sim/converter.h"
#include "tests/sim/ledger.h"
#include "tests/sim/network.h"
#include "tests/sim/signer.h"
#include "tests/sim/world.h"

namespace sim {

// Keeps every event; hands them to the "disk" a little later, or not at all for a while.
class Log final : public relay::journal::Feed {
 public:
  explicit Log(World* world) : world_(world) {
    journal.add(this);
    journal.add(&metrics);
  }
  relay::journal::FeedClass feed_class() const override { return relay::journal::FeedClass::kGatesRemoval; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  uint64_t through() const override { return through_; }
  relay::journal::Journal journal;  // outlives the relay's crashes, as the file does
  relay::journal::Metrics metrics;
  std::vector<conf::DeliveryEvent> events;
  std::vector<conf::Instant> moments;  // of each event, whatever the wall clock says
  std::vector<conf::Instant> written;  // when each was on the disk; kNever: it is not
  bool stuck = false;

 private:
  World* world_;
  uint64_t through_ = 0;
};

class RelayRun {
 public:
  RelayRun(World* world, conf::ConfigPtr config, mx::Resolver* resolver, Network* network,
           relay::spool::MemorySpool* spool, Log* log, bool sign);
  ~RelayRun();
  void start();
  void crash();  // everything in memory is gone, and what the spool had not synced
  void close();  // an orderly end: what is known is written down
  void reload(conf::ConfigPtr config, mx::RuleBookPtr rules);
  // The loop of the daemon is driven from outside: call this after each thing that happens.
  void poke();
  mx::RuleBookPtr book;                      // null: no rules
  std::function<void()> after_step = [] {};  // the relay has made its round
  bool running() const { return transit_ != nullptr; }
  std::unique_ptr<relay::Transport> connect_client();
  relay::Transit& transit() { return *transit_; }
  relay::Desk& desk() { return *desk_; }

 private:
  World* world_;
  conf::ConfigPtr config_;
  mx::Resolver* resolver_;
  Network* network_;
  relay::spool::MemorySpool* spool_;
  Log* log_;
  uint64_t life_ = 0;
  conf::Instant timer_ = conf::kNever;
  bool syncing_ = false, poking_ = false;
  const bool sign_;
  std::unique_ptr<Signer> signer_;        // outlives the transit
  std::unique_ptr<Converter> converter_;  // likewise
  std::unique_ptr<relay::Transit> transit_;
  std::unique_ptr<relay::Reception> reception_;
  std::unique_ptr<relay::Desk> desk_;
};

}  // namespace sim
