// Judges how mail ended: each recipient has one final event, and is written to twice only where a crash or a
// connection that went before its reply was read excuses it; nobody fails by a word that was not about them;
// and when all has ended, nothing is left over.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "conf/vocab/event.h"
#include "relay/walk/transit.h"
#include "tests/sim/ledger.h"

namespace sim {

struct Endings {  // borrowed
  const Ledger* ledger = nullptr;
  const std::vector<conf::DeliveryEvent>* events = nullptr;
  const std::vector<conf::Instant>* moments = nullptr;  // of each event
  const std::vector<conf::Instant>* written = nullptr;  // when each was on the disk
  const std::vector<conf::Instant>* crashes = nullptr;
  const std::vector<std::pair<conf::Instant, conf::Instant>>* stalls = nullptr;  // nothing is written then
};
// What is wrong, for people. Empty: nothing.
std::vector<std::string> judge_endings(const Endings& endings);

// What the relay still counts or keeps, though all mail has gone and time has passed since. Empty: nothing.
std::vector<std::string> what_is_left(relay::Transit* transit);

}  // namespace sim
