// A block that the replies brought: until when, how many came in a row, and the single probes that go before
// it is over where the threshold has `first_probe`: so long after its begin, then twice as late each time.
// One that passes shortens the block. What is refused on the ramp after that makes the same block go on:
// never is it longer for having been tried.
#pragma once

#include <cstdint>
#include <memory>

#include "conf/rule_threshold.h"
#include "conf/vocab/time.h"
#include "mx/limits/decision.h"
#include "mx/limits/saved.h"

namespace mx {

// What people are told of it, after a restart too.
struct BlockReason {
  conf::Instant at{};  // decided
  Decision decision;   // kBlock
};

struct Block {
  static constexpr uint8_t kMostDoublings = 40;  // a second is 35,000 years then

  conf::Instant until{};
  conf::Duration length{0};
  uint8_t doublings = 0;                   // blocks in a row
  uint8_t tried = 0;                       // steps of the doubling that early probes have had
  bool early = false;                      // an early probe goes, or has passed
  bool by_rule = false;                    // a reply rule's; that of a threshold otherwise
  std::shared_ptr<const BlockReason> why;  // null: not known

  // The first of a row lasts `block`, each that follows twice as long, up to `max_block`.
  void begin(const conf::RuleThreshold& rule, conf::Instant now);
  // Nobody judged the probes: they go once more after a tenth of `block`, at least a minute.
  void repeat(const conf::RuleThreshold& rule, conf::Instant now);
  // When probes go next: at the end, or one alone before it.
  conf::Instant next_probe(const conf::RuleThreshold& rule) const;
  // What was tried early is refused: the block goes on to its end.
  void go_on(const conf::RuleThreshold& rule, conf::Instant now);
  void save_why(SavedWriter* out) const;
  void restore_why(SavedReader* in);
  bool shortened(conf::Instant now) const { return early && now < until; }

 private:
  void last(conf::Instant now);  // for `length`
};

}  // namespace mx
