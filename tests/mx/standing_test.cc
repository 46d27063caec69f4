#include "mx/standing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "conf/vocab/random.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;
using Kind = Outcome::Kind;
using State = Standing::State;
using Action = Decision::Action;

constexpr Instant kStart{Duration(5'000'000'123)};

PathLimits limits_with(std::vector<conf::RuleThreshold> thresholds) {
  PathLimits limits;
  limits.thresholds = std::move(thresholds);
  return limits;
}
PathLimits general() { return limits_with({conf::RuleThreshold{}}); }

Outcome outcome_of(Kind kind, std::string_view reply = "550 5.7.1 no") {
  Outcome outcome;
  outcome.kind = kind;
  outcome.reply = kind == Kind::kAccepted ? std::string_view() : reply;
  return outcome;
}

// One message to one recipient, from beginning to end.
void send(Standing& standing, Kind kind, Instant now, std::string_view reply = "550 5.7.1 no") {
  const Standing::Attempt attempt = standing.began(now);
  standing.outcome(attempt, outcome_of(kind, reply), now);
  standing.ended(attempt, true, now);
}
void send_many(Standing& standing, int count, Kind kind, Instant now) {
  for (int i = 0; i < count; ++i) send(standing, kind, now);
}
std::vector<Action> actions(Standing& standing) {
  std::vector<Action> list;
  for (const Decision& decision : standing.take_decisions()) list.push_back(decision.action);
  return list;
}

// The seed example: at least 300 messages in an hour, 90 % errors, three hours.
TEST(Standing, TheGeneralCaseBlocksAtTheThreeHundredthMessage) {
  Standing standing(general());
  send_many(standing, 299, Kind::kHard, kStart);
  EXPECT_EQ(standing.state(), State::kOpen);  // 299 errors of 299
  EXPECT_TRUE(standing.may_send(kStart).yes);
  EXPECT_FALSE(standing.has_decisions());
  send(standing, Kind::kSoft, kStart + 59min, "421 4.7.0 go away");
  ASSERT_EQ(standing.state(), State::kBlocked);
  EXPECT_EQ(standing.blocked_until(), kStart + 59min + 3h);
  const Admission no = standing.may_send(kStart + 1h);
  EXPECT_FALSE(no.yes);
  EXPECT_EQ(no.bind, Bind::kBlocked);
  EXPECT_EQ(no.not_before, kStart + 59min + 3h);
  EXPECT_EQ(standing.most_connections(kStart + 1h), 0u);
  const std::vector<Decision> decisions = standing.take_decisions();
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_EQ(decisions[0].action, Action::kBlock);
  EXPECT_EQ(decisions[0].by, "threshold 1");
  EXPECT_EQ(decisions[0].messages, 300u);
  EXPECT_EQ(decisions[0].errors, 300u);
  EXPECT_EQ(decisions[0].until, kStart + 59min + 3h);
  EXPECT_EQ(decisions[0].samples,
            (std::vector<std::string>{"421 4.7.0 go away", "550 5.7.1 no", "550 5.7.1 no"}));
  EXPECT_EQ(decisions[0].text,
            "300 of 300 messages in the last hour were refused (100.0 %): nothing is sent for 3 h");
}

TEST(Standing, ThreeHoursLaterProbesGoFirst) {
  Standing standing(general());
  send_many(standing, 30, Kind::kAccepted, kStart);
  send_many(standing, 270, Kind::kHard, kStart);  // 270 of 300: exactly 90 %
  ASSERT_EQ(standing.state(), State::kBlocked);
  const Instant end = kStart + 3h;
  EXPECT_FALSE(standing.may_send(end - Duration(1)).yes);
  EXPECT_EQ(standing.state(), State::kBlocked);
  ASSERT_TRUE(standing.may_send(end).yes);
  EXPECT_EQ(standing.state(), State::kProbing);
  EXPECT_EQ(standing.most_connections(end), 1u);
  std::vector<Standing::Attempt> probes;
  while (standing.may_send(end).yes) probes.push_back(standing.began(end));
  EXPECT_EQ(probes.size(), 5u);
  EXPECT_EQ(standing.may_send(end).bind, Bind::kProbing);
  EXPECT_EQ(standing.may_send(end).not_before, conf::kNever);
  standing.ended(probes[0], false, end);  // no answer: given back
  EXPECT_TRUE(standing.may_send(end).yes);
  standing.outcome(probes[1], outcome_of(Kind::kAccepted), end);
  standing.ended(probes[1], true, end);
  EXPECT_EQ(standing.state(), State::kRamp);  // 90 % of five are five: one good probe is enough
  EXPECT_EQ(actions(standing), (std::vector<Action>{Action::kBlock, Action::kProbe, Action::kRamp}));
}

}  // namespace
}  // namespace mx
