// One simulated history, decided by its seed: clients hand in mail, servers refuse and break, the relay
// crashes and starts again, days pass; then the judge looks at what became of each promise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/faults.h"

namespace sim {

struct Verdict {
  std::vector<std::string> violations;
  uint64_t promised = 0, delivered = 0, reported = 0, duplicates = 0, crashes = 0, unanswered = 0;
  uint64_t encrypted = 0, unread = 0;  // messages over TLS; reads of the spool that failed
  uint64_t of_streams = 0;             // deliveries that a stream bound to some of the sources
  uint64_t crowded = 0;  // steps with more bodies in memory than those that came in may take of it
  Played played{};
  uint64_t history = 0;  // a hash of every event: the same seed gives the same
};

// `messages`: so many are handed in by twenty clients; 0: a few.
Verdict run_scenario(uint64_t seed, uint64_t messages = 0);

}  // namespace sim
