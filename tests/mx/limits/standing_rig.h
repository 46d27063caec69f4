// What a destination answers, told to a Standing in one call.
#pragma once

#include <gtest/gtest.h>

#include <string_view>
#include <utility>
#include <vector>

#include "mx/limits/standing.h"

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using conf::Duration;
using conf::Instant;
using Kind = Outcome::Kind;
using State = Standing::State;
using Action = Decision::Action;

inline constexpr Instant kStart{Duration(5'000'000'123)};

inline PathLimits limits_with(std::vector<conf::RuleThreshold> thresholds) {
  PathLimits limits;
  limits.thresholds = std::move(thresholds);
  return limits;
}

inline PathLimits general() { return limits_with({conf::RuleThreshold{}}); }

inline Outcome outcome_of(Kind kind, std::string_view reply = "550 5.7.1 no") {
  Outcome outcome;
  outcome.kind = kind;
  outcome.reply = kind == Kind::kAccepted ? std::string_view() : reply;
  return outcome;
}

// One message to one recipient, from beginning to end.
inline void send(Standing& standing, Kind kind, Instant now, std::string_view reply = "550 5.7.1 no") {
  const Standing::Attempt attempt = standing.began(now);
  standing.outcome(attempt, outcome_of(kind, reply), now);
  standing.ended(attempt, true, now);
}

inline void send_many(Standing& standing, int count, Kind kind, Instant now) {
  for (int i = 0; i < count; ++i) send(standing, kind, now);
}

inline std::vector<Action> actions(Standing& standing) {
  std::vector<Action> list;
  for (const Decision& decision : standing.take_decisions()) list.push_back(decision.action);
  return list;
}

// Blocked at `now`, and past the block: the next attempt is a probe.
inline void block_and_wait(Standing& standing, Instant* now) {
  send_many(standing, 300, Kind::kHard, *now);
  ASSERT_EQ(standing.state(), State::kBlocked);
  *now = standing.blocked_until();
  ASSERT_TRUE(standing.may_send(*now).yes);
  ASSERT_EQ(standing.state(), State::kProbing);
}

}  // namespace mx
