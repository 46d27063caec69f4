// What the loop last said of itself, for whoever must not ask it: a scrape, a console.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "conf/vocab/time.h"

namespace relay::journal {

struct SiteGauges {
  std::string site;
  uint64_t ready = 0, in_flight = 0, connections = 0;
  std::string waiting_for;  // why nothing moves; empty when all is well
};

// Paths whose flow is held back, by state, and the ready deliveries behind a block (those that ready_limit
// has put off meanwhile are not counted).
struct LimiterGauges {
  uint64_t blocked = 0, probing = 0, ramp = 0;
  uint64_t blocked_deliveries = 0;
};

struct QuarantineGauges {
  uint64_t rows = 0;  // addresses with a state, in memory
  uint64_t open_waves = 0;
  uint64_t held = 0;     // Hard errors that the guard held back, since start
  uint64_t waiting = 0;  // what is not in the ledger's file yet
  uint64_t lost = 0;     // what found no room, since start
};

struct Gauges {
  conf::Instant made{};
  double uptime_seconds = 0;  // then
  bool accepting = true, recording = true;
  uint64_t messages = 0, deliveries = 0, scheduled = 0, ready = 0, in_flight = 0, on_hold = 0;
  uint64_t inbound_connections = 0, outbound_connections = 0;
  uint64_t body_memory_bytes = 0, log_waiting = 0, log_lost = 0;
  QuarantineGauges quarantine;
  LimiterGauges limiter;          // of the last survey over all sites
  std::vector<SiteGauges> sites;  // likewise: the busiest first, at most 50
};

// One writer, any number of readers.
class GaugeBoard {
 public:
  void publish(Gauges gauges) {
    auto fresh = std::make_shared<const Gauges>(std::move(gauges));
    const std::lock_guard<std::mutex> lock(mutex_);
    latest_.swap(fresh);
  }
  std::shared_ptr<const Gauges> latest() const {  // never null
    const std::lock_guard<std::mutex> lock(mutex_);
    return latest_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Gauges> latest_ = std::make_shared<const Gauges>();
};

}  // namespace relay::journal
