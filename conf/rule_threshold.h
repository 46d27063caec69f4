// [[rule.threshold]] as written: the share of refusals that blocks a site, and how the block ends.
#pragma once

#include <cstdint>
#include <vector>

#include "conf/vocab/reason.h"
#include "conf/vocab/time.h"

namespace conf {

// Which refusals a threshold counts as errors. Successes and refusals of every kind are its sample.
enum class ThresholdScope : uint8_t {
  kAny,
  kSender,     // the site refuses us: reputation, policy, throttling
  kRecipient,  // the address is refused: a bad list
};

struct RuleThreshold {
  // As parts of a million, so that 89.9 % and 90 % are exact; the parser turns "90%" or 0.9 into 900'000.
  uint32_t error_rate_ppm = 900'000;  // error_rate
  uint32_t min_messages = 300;        // min_messages: the smallest sample that counts
  Duration window = 1h;               // window: sliding
  Duration min_duration{0};  // min_duration: so long the share must have been reached, at every message
  Duration block = 3h;       // block: the first time; each failing probe doubles it
  Duration max_block = 24h;  // max_block: the bound of the doubling; at least block
  Duration first_probe{0};   // first_probe: one message goes so long after a block began; 0: none
  bool count_hard = true;    // count = ["hard", "soft"]
  bool count_soft = true;
  std::vector<Reason> reasons;                  // reasons: only these count as errors; empty: all
  ThresholdScope scope = ThresholdScope::kAny;  // scope = "any" | "sender" | "recipient"
  uint32_t probes = 5;                          // probes: messages that go first when the block is over
  int line = 0, column = 1;
};

}  // namespace conf
