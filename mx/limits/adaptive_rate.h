// How many messages an hour a destination really takes, learned from its replies, within the bounds of the
// rule. The rate begins at the upper bound (or at messages_per_hour, when that is lower): the operator allows
// it anyhow, and a climb from the lower bound would hold mail back for hours at sites that never complain.
//
// Every 10 minutes are judged once they are over:
//  - at least 20 replies, 5 % or more of them asking us to slow down: what was accepted meanwhile (as an
//    hourly rate, and at least a quarter of the learned one: one bad moment says little) is noted as a
//    ceiling, and the rate becomes 80 % of it;
//  - less than 1 % of them, and 80 % of the allowance used: the rate rises by a tenth. Not above 95 % of a
//    ceiling that is younger than a day; above 95 % of one that is younger than three days by a fiftieth
//    only. After three days a ceiling is forgotten. In "advise", where the learned rate does not bind, it
//    rises to what was accepted when that is more.
// One thread; O(1) amortised.
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

class AdaptiveRate {
 public:
  static constexpr conf::Duration kPeriod = std::chrono::minutes(10);
  static constexpr uint32_t kPeriodsOfAnHour = 6;
  static constexpr uint32_t kLeastReplies = 20;
  static constexpr conf::Duration kCeilingHolds = std::chrono::hours(24);
  static constexpr conf::Duration kCeilingForgotten = std::chrono::hours(72);
  static constexpr size_t kCeilings = 8;

  struct Ceiling {
    uint32_t per_hour = 0;
    conf::Instant at{};
  };

  explicit AdaptiveRate(const PathLimits& limits);
  void set(const PathLimits& limits);  // the learned rate stays, within the new bounds

  // True when a period was over and the rate has changed: `decision` says so (kAdapt or kAdvise).
  bool tick(conf::Instant now, Decision* decision);
  // Asked after tick(). "advise" never refuses.
  Admission may_send(conf::Instant now);
  uint32_t available(conf::Instant now) { return binds_ ? quota_.available(now) : UINT32_MAX; }
  void charge(conf::Instant now);
  void refund(conf::Instant charged_at);
  void count(const Outcome& outcome);

  uint32_t per_hour() const { return rate_; }
  bool learned() const { return learned_; }  // has changed once
  const std::vector<Ceiling>& ceilings() const { return ceilings_; }

  void reset();  // learns anew; what was charged stays charged
  void forget() {
    reset();
    quota_ = Quota(rate_, smooth_);
  }
  void assume_used(conf::Instant begin, conf::Instant end);
  // What was charged elsewhere since then counts here too, and the lower rate holds; from the same limits.
  void inherit(const AdaptiveRate& from, conf::WallTime since, const Moment& moment);
  void inherit_charges(const AdaptiveRate& from, conf::WallTime since,
                       const Moment& moment);  // and nothing else
  void cut() { quota_.cut(); }
  void save(SavedWriter* out, const Moment& moment) const;
  bool restore(SavedReader* in);
  // Nothing learned, or no mail for a week.
  bool idle(conf::Instant now);

 private:
  enum class Judgement : uint8_t { kStay, kFall, kRise };
  Judgement judge() const;
  uint64_t taken_per_hour() const;
  uint32_t ceiling_seen() const;
  uint32_t risen(conf::Instant at) const;
  uint32_t fallen() const;
  void note_ceiling(conf::Instant at);
  uint32_t bounded(uint64_t per_hour) const;

  bool binds_ = false;
  bool smooth_ = false;
  bool learned_ = false;
  bool running_ = false;  // a period is
  uint32_t least_ = 1;
  uint32_t most_ = 1;
  uint32_t rate_ = 1;
  conf::Instant period_{};         // its begin
  uint32_t attempts_ = 0;          // in the period
  uint32_t replies_ = 0;           // accepted, hard, soft
  uint32_t accepted_ = 0;          // of them
  uint32_t throttled_ = 0;         // of them
  std::vector<Ceiling> ceilings_;  // oldest first, each above the one before
  Quota quota_;
};

}  // namespace mx
