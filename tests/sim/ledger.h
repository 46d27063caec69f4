// What was promised and what came of it: the judge of a simulation run.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "conf/vocab/time.h"

namespace sim {

// Every message carries its number in its first line, and a checksum of the rest.
struct Ledger {
  using Key = std::pair<uint64_t, std::string>;  // message number, recipient
  std::map<Key, std::string> promised;           // got 250 at our door; value: reverse-path
  std::map<Key, int> delivered;                  // times that a peer said 250
  std::map<Key, int> reported;                   // times that a report about it arrived
  std::map<Key, conf::Instant>
      last_refusal;  // 4yz for the recipient: not to be tried before the schedule says
  std::map<Key, int> refused_hard;
  std::vector<std::string> violations;

  void violate(std::string what) {
    if (violations.size() < 20) violations.push_back(std::move(what));
  }
};

}  // namespace sim
