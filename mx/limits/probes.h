// The few attempts that go first when a block is over, and what their replies say. A probe is bad when the
// share of its recipients that were errors reaches the error rate of the threshold, good when it does not. It
// is spent, and neither, when no answer judges it: greylisting, a request for a slower pace, a host that
// takes no mail for now. One that got no answer at all is given back. The verdict falls as early as it is
// certain: with 5 probes and an error rate of 90 % all five must be bad, so the first good one passes; one
// that is spent leaves four.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "mx/limits/outcome.h"
#include "mx/limits/saved.h"
#include "mx/limits/threshold.h"

namespace mx {

class Probes {
 public:
  // kUnjudged: all are spent.
  enum class Verdict : uint8_t { kUndecided, kPassed, kFailed, kUnjudged };

  // Whether one more may begin: what is in flight and what is judged are at most `most`.
  bool may_begin(uint32_t most) const { return left(most) > 0; }
  uint32_t left(uint32_t most) const {
    const auto used = static_cast<uint32_t>(flying_.size()) + good_ + bad_ + spent_;
    return most - std::min(most, used);
  }
  uint32_t begin();  // its number
  void outcome(uint32_t number, const Outcome& outcome, const Threshold& threshold);
  void ended(uint32_t number, bool answered, const Threshold& threshold);
  // A connection was refused: a bad probe that needed no attempt.
  void refused() { ++bad_; }
  Verdict verdict(const Threshold& threshold, uint32_t probes) const;  // of so many
  uint32_t judged() const { return good_ + bad_; }
  uint32_t bad() const { return bad_; }

  void save(SavedWriter* out) const;  // those in flight end with the process
  bool restore(SavedReader* in, bool with_spent);

 private:
  struct Flying {
    uint32_t number = 0;
    uint32_t outcomes = 0;  // ignored ones too
    uint32_t samples = 0;
    uint32_t errors = 0;
  };
  Flying* find(uint32_t number);

  uint32_t next_ = 0;
  uint32_t good_ = 0;
  uint32_t bad_ = 0;
  uint32_t spent_ = 0;
  std::vector<Flying> flying_;
};

}  // namespace mx
