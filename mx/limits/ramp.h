// The rise of the flow after the probes of a block have passed: few messages in the first minute, twice as
// many in each that follows, and connections likewise from one on. Ten minutes, after which only the limits
// of the rule hold; an allowance above those does not bind meanwhile. One thread; O(1).
#pragma once

#include <cstdint>

#include "conf/vocab/time.h"
#include "mx/limits/admission.h"
#include "mx/limits/saved.h"

namespace mx {

class Ramp {
 public:
  static constexpr uint32_t kFirst = 2;  // x probes: messages of its first minute
  static constexpr conf::Duration kStep = std::chrono::minutes(1);
  static constexpr uint32_t kSteps = 10;

  // `first`: messages in the first minute, at least 1.
  void begin(uint32_t first, conf::Instant now);
  bool over(conf::Instant now) const { return now - began_ >= kStep * kSteps; }
  conf::Instant ends() const { return began_ + kStep * kSteps; }
  Admission may_send(conf::Instant now) const;
  uint32_t connections(conf::Instant now) const { return 1U << step(now); }
  conf::Instant next_step(conf::Instant now) const { return began_ + kStep * (step(now) + 1); }
  uint32_t allowance(conf::Instant now) const { return first_ << step(now); }  // of this minute
  uint32_t left(conf::Instant now) const;                                      // of this minute's allowance
  void charge(conf::Instant now);
  void refund(conf::Instant charged_at);
  // Nobody knows what was sent in this minute: all of it.
  void assume_used(conf::Instant now);

  void save(SavedWriter* out) const;
  bool restore(SavedReader* in);

 private:
  uint32_t step(conf::Instant now) const;  // below kSteps

  conf::Instant began_{};
  uint32_t first_ = 1;
  uint32_t step_ = 0;  // that `used_` belongs to
  uint32_t used_ = 0;
};

}  // namespace mx
