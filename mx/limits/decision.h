// What the limiter decided by itself or by order, with its evidence: becomes an event in the delivery log and
// the history that `penstock explain` shows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/vocab/event.h"
#include "conf/vocab/time.h"

namespace mx {

struct Decision {
  using Action = conf::DecisionAction;
  Action action = Action::kBlock;
  std::string by;         // for people: "threshold 1", "operator", "probes", "replies", "adaptive", "warm-up"
  bool ordered = false;   // an operator did it
  int line = 0;           // of the threshold in the rule's file; 0: none
  uint64_t messages = 0;  // the sample
  uint64_t errors = 0;    // of it
  conf::Instant until{};  // kBlock, kSlow
  uint64_t rate_per_hour = 0;        // kAdapt, kAdvise
  uint64_t rate_per_day = 0;         // kWarmUp
  std::vector<std::string> samples;  // at most three replies that tripped it, the latest first
  std::string text;                  // one line for people, without the samples
};
using conf::to_text;

// Words for the texts of decisions.
std::string duration_text(conf::Duration length);       // "3 h", "1 h 30 min", "45 s"; two units at most
std::string share_text(uint64_t part, uint64_t whole);  // "92.9 %", cut and not rounded: 89.99 % is 89.9 %
std::string until_text(conf::Instant until, conf::Instant now);  // "for 3 h", "until an operator unblocks it"

}  // namespace mx
