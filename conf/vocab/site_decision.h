// What is decided about how fast mail may flow to a site. Part of the delivery log's events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "conf/vocab/time.h"

namespace conf {

enum class DecisionAction : uint8_t {
  kBlock,    // nothing goes until `until`
  kProbe,    // the block is over: probes go
  kRamp,     // the probes passed: the flow rises
  kOpen,     // the ramp is over: only the limits of the rule hold
  kUnblock,  // an operator ended the block
  kReset,    // an operator cleared samples, ramp and learned rate
  kSlow,     // the receiver asked us to slow down: pause until `until`
  kAdapt,    // the learned rate changed to `rate_per_hour`
  kAdvise,   // ... would have, in mode "advise"
  kWarmUp,   // a new day of the ladder: risen or held at `rate_per_day`
  kVoid,     // an order to block holds nothing: an edit took away the name that it goes by
};
constexpr size_t kDecisionActions = 11;
const char* to_text(DecisionAction action);  // "block", "probe", ... "warmup"

// How fast mail may flow to a site was changed, with the evidence.
struct SiteDecision {
  DecisionAction action = DecisionAction::kBlock;
  std::string rule;      // name of the MX rule
  std::string where;     // where it stands, "file:line"
  std::string by;        // for people: "threshold 1", "operator ann", "adaptive", "warm-up", "replies"
  bool ordered = false;  // an operator did it; `by` names him
  std::string site, source;
  uint64_t messages = 0;  // that were counted; 0: nothing was, and errors and share say nothing
  uint64_t errors = 0;
  double share = 0;                              // errors among them, 0 to 1
  WallTime until;                                // the epoch: no end
  uint64_t rate_per_hour = 0, rate_per_day = 0;  // kAdapt and kAdvise; kWarmUp
  std::vector<std::string> samples;              // up to three replies that led to it
  std::string text;                              // all of it in a line for people
};

}  // namespace conf
