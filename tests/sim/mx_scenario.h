// One simulated history of a relay under MX rules, drawn from its seed: sites with addresses and domains,
// sources, rules of every kind, receivers that refuse for a while, faults, crashes, restarts and reloads in
// the middle; then the judge.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sim {

struct MxVerdict {
  std::vector<std::string> violations;
  uint64_t promised = 0, delivered = 0, reported = 0, mails = 0, blocks = 0, probes_failed = 0, ramps = 0,
           crashes = 0, restarts = 0, reloads = 0, adapted = 0, slowed = 0;
  uint64_t history = 0;  // a hash of every event: the same seed gives the same
};

MxVerdict run_mx_scenario(uint64_t seed);

}  // namespace sim
