// The ladder of a new source at a site: so many messages in any 24 hours, step by step more. A day of a step
// begins with its first message and is judged when 24 hours are over:
//  - at least 80 % of the step were used, and the share of deferrals (Soft refusals because of the sender,
//  and
//    whatever asked us to slow down) is at most `hold`: the next step;
//  - the share is above four times `hold`: one step back;
//  - else the step holds for another day.
// Above the last step there is no ladder any more, until an operator resets it. One thread; O(1) amortised.
#pragma once

#include <cstdint>
#include <vector>

#include "conf/vocab/time.h"
#include "mx/limits/admission.h"
#include "mx/limits/decision.h"
#include "mx/limits/outcome.h"
#include "mx/limits/quota.h"
#include "mx/limits/saved.h"
#include "mx/rules/path_limits.h"

namespace mx {

class WarmUp {
 public:
  static constexpr conf::Duration kDay = std::chrono::hours(24);

  struct View {             // for people
    uint32_t step = 0;      // 0-based
    uint32_t per_day = 0;   // 0: not on a ladder
    uint32_t used = 0;      // in the last 24 hours
    uint64_t deferred = 0;  // of the running day
  };

  explicit WarmUp(const PathLimits& limits);  // its ladder is not empty
  void set(const PathLimits& limits);         // the step stays, as a number

  // True when a day was over: `decision` says what became of the step.
  bool tick(conf::Instant now, Decision* decision);
  Admission may_send(conf::Instant now);  // asked after tick()
  uint32_t available(conf::Instant now) { return finished_ ? UINT32_MAX : quota_.available(now); }
  void charge(conf::Instant now);
  void refund(conf::Instant charged_at);
  void count(const Outcome& outcome);

  uint32_t step() const { return step_; }
  uint32_t per_day() const { return finished_ ? 0 : steps_[step_]; }  // 0: above the ladder
  View view(conf::Instant now) { return {step_, per_day(), quota_.used(now), deferred_}; }

  void reset();  // from the first step on; what was charged stays charged
  void forget() {
    reset();
    quota_ = Quota(per_day(), false, kDay);
  }
  void assume_used(conf::Instant begin, conf::Instant end);
  // What another ladder let go since then counts here too, and the lower step holds; from the same limits.
  void inherit(const WarmUp& from, conf::WallTime since, const Moment& moment);
  void inherit_charges(const WarmUp& from, conf::WallTime since, const Moment& moment);  // and nothing else
  void cut() { quota_.cut(); }
  void save(SavedWriter* out, const Moment& moment) const;
  bool restore(SavedReader* in);
  bool idle(conf::Instant now);  // on the first step, with nothing sent for a day

 private:
  enum class Judgement : uint8_t { kHold, kRise, kFall };
  Judgement judge() const;
  void move(Judgement judgement);
  bool deferred_above(uint64_t hold_times) const;

  std::vector<uint32_t> steps_;
  uint32_t hold_ppm_ = 0;
  uint32_t step_ = 0;
  bool finished_ = false;
  bool running_ = false;   // a day is
  conf::Instant day_{};    // its begin
  uint32_t sent_ = 0;      // in the day: messages
  uint64_t replies_ = 0;   // accepted, hard, soft
  uint64_t deferred_ = 0;  // of them
  Quota quota_;
};

}  // namespace mx
