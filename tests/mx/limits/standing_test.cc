#include "mx/limits/standing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/mx/limits/standing_rig.h"

namespace mx {
namespace {

// Nobody has to ask for a gauge to be right.
TEST(Standing, WhatHasRunOutIsOverThoughNobodyAsked) {
  Standing standing(general());
  EXPECT_EQ(standing.runs_out(), conf::kNever);
  send_many(standing, 300, Kind::kHard, kStart);
  const Instant over = kStart + 3h;
  EXPECT_EQ(standing.runs_out(), over);
  EXPECT_EQ(standing.state_at(over - 1us), State::kBlocked);
  EXPECT_EQ(standing.state_at(over), State::kProbing);
  EXPECT_EQ(standing.state(), State::kBlocked) << "a question changes nothing";
  EXPECT_TRUE(standing.may_send(over).yes);
  EXPECT_EQ(standing.runs_out(), conf::kNever);
  send_many(standing, 5, Kind::kAccepted, over);
  ASSERT_EQ(standing.state(), State::kRamp);
  EXPECT_EQ(standing.runs_out(), over + 10min);
  EXPECT_EQ(standing.state_at(over + 10min - 1us), State::kRamp);
  EXPECT_EQ(standing.state_at(over + 10min), State::kOpen);
  EXPECT_EQ(standing.state(), State::kRamp);
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

TEST(Standing, TroubleOfSecondsBlocksNothingWhereErrorsMustGoOn) {
  conf::RuleThreshold rule;
  rule.min_duration = 10min;
  Standing standing(limits_with({rule}));
  send_many(standing, 1000, Kind::kSoft, kStart);  // a backend starts again
  EXPECT_EQ(standing.state(), State::kOpen);
  send_many(standing, 200, Kind::kAccepted, kStart + 3s);  // 1000 of 1200: below the share
  send_many(standing, 2000, Kind::kSoft, kStart + 11min);  // 3000 of 3200, but only now again
  EXPECT_EQ(standing.state(), State::kOpen);
  send(standing, Kind::kSoft, kStart + 21min - 1us);
  EXPECT_EQ(standing.state(), State::kOpen);
  send(standing, Kind::kSoft, kStart + 21min);
  EXPECT_EQ(standing.state(), State::kBlocked);
  EXPECT_EQ(standing.blocked_until(), kStart + 21min + 3h);
}

TEST(Standing, WhatWasBegunBeforeTheBlockSaysNothingAfterIt) {
  Standing standing(general());
  std::vector<Standing::Attempt> old;
  for (int i = 0; i < 20; ++i) old.push_back(standing.began(kStart));
  Instant now = kStart;
  block_and_wait(standing, &now);
  for (int i = 0; i < 10; ++i) {
    standing.outcome(old[i], outcome_of(Kind::kHard), now);
    standing.ended(old[i], true, now);
  }
  EXPECT_EQ(standing.state(), State::kProbing);
  std::vector<Standing::Attempt> probes;
  while (standing.may_send(now).yes) probes.push_back(standing.began(now));
  EXPECT_EQ(probes.size(), 5u);
  standing.outcome(probes[0], outcome_of(Kind::kAccepted), now);
  standing.ended(probes[0], true, now);
  ASSERT_EQ(standing.state(), State::kRamp);
  for (int i = 10; i < 20; ++i) {
    standing.outcome(old[i], outcome_of(Kind::kHard), now);
    standing.ended(old[i], false, now);
  }
  EXPECT_EQ(standing.samples(now)[0].messages, 0u);
}

TEST(Standing, TheFirstOfSeveralThresholdsDecides) {
  conf::RuleThreshold quick;
  quick.window = 10min;
  quick.min_messages = 50;
  quick.error_rate_ppm = 500'000;
  quick.block = 30min;
  quick.probes = 2;
  quick.scope = conf::ThresholdScope::kSender;
  quick.line = 17;
  Standing standing(limits_with({conf::RuleThreshold{}, quick}));
  send_many(standing, 100, Kind::kHard, kStart);  // addresses: not what the second counts
  EXPECT_EQ(standing.state(), State::kOpen);
  Outcome ours = outcome_of(Kind::kSoft, "421 4.7.0 too much from you");
  ours.sender_scope = true;
  Standing::Attempt attempt = standing.began(kStart);
  for (int i = 0; i < 100; ++i) standing.outcome(attempt, ours, kStart);
  ASSERT_EQ(standing.state(), State::kBlocked);
  std::vector<Decision> decisions = standing.take_decisions();
  EXPECT_EQ(decisions[0].by, "threshold 2");
  EXPECT_EQ(decisions[0].line, 17);
  EXPECT_EQ(
      decisions[0].text,
      "100 of 200 messages in the last 10 min were refused because of the sender (50.0 %): nothing is sent "
      "for 30 min");
  const Instant end = kStart + 30min;
  ASSERT_TRUE(standing.may_send(end).yes);
  std::vector<Standing::Attempt> probes;
  while (standing.may_send(end).yes) probes.push_back(standing.began(end));
  EXPECT_EQ(probes.size(), 2u);  // as the threshold that tripped says
}

TEST(Standing, ARefusedConnectionIsAnErrorOfTheSender) {
  conf::RuleThreshold rule;
  rule.scope = conf::ThresholdScope::kSender;
  rule.min_messages = 10;
  Standing standing(limits_with({rule}));
  for (int i = 0; i < 9; ++i) standing.refused(outcome_of(Kind::kSoft, "554 no service"), kStart);
  EXPECT_EQ(standing.samples(kStart)[0].errors, 9u);
  standing.refused(outcome_of(Kind::kIgnored), kStart);
  EXPECT_EQ(standing.state(), State::kOpen);
  standing.refused(outcome_of(Kind::kSoft, "554 no service"), kStart);
  ASSERT_EQ(standing.state(), State::kBlocked);
  standing.refused(outcome_of(Kind::kSoft), kStart + 1h);
  const Instant end = kStart + 3h;
  ASSERT_TRUE(standing.may_send(end).yes);
  for (int i = 0; i < 5; ++i) standing.refused(outcome_of(Kind::kSoft, "554 no service"), end);
  EXPECT_EQ(standing.state(), State::kBlocked);  // five probes that never got as far as a message
  EXPECT_EQ(standing.blocked_until(), end + 6h);
}

TEST(Standing, WhatComesBackIsAnErrorButNeverProlongsABlock) {
  conf::RuleThreshold rule;
  rule.min_messages = 10;
  Standing standing(limits_with({rule}));
  for (int i = 0; i < 9; ++i) standing.came_back(outcome_of(Kind::kHard, "550 no such user"), kStart);
  EXPECT_EQ(standing.samples(kStart)[0].errors, 9u);
  standing.came_back(outcome_of(Kind::kIgnored), kStart);
  EXPECT_EQ(standing.state(), State::kOpen);
  standing.came_back(outcome_of(Kind::kHard, "550 no such user"), kStart);
  ASSERT_EQ(standing.state(), State::kBlocked);
  const Instant until = standing.blocked_until();
  standing.came_back(outcome_of(Kind::kHard), kStart + 1h);
  EXPECT_EQ(standing.blocked_until(), until);
  ASSERT_TRUE(standing.may_send(until).yes);
  for (int i = 0; i < 50; ++i) standing.came_back(outcome_of(Kind::kHard), until);
  EXPECT_EQ(standing.state(), State::kProbing);
}

TEST(Standing, AnOperatorOpensWithAnEmptySample) {
  Standing standing(general());
  send_many(standing, 300, Kind::kHard, kStart);
  ASSERT_EQ(standing.state(), State::kBlocked);
  standing.unblock(kStart + 1h);
  EXPECT_TRUE(standing.may_send(kStart + 1h).yes);
  EXPECT_EQ(standing.state(), State::kOpen);
  send_many(standing, 299, Kind::kHard, kStart + 1h);
  EXPECT_FALSE(standing.replies().empty());
  standing.reset(kStart + 1h);
  EXPECT_TRUE(standing.replies().empty());
  send_many(standing, 299, Kind::kHard, kStart + 1h);
  EXPECT_EQ(standing.state(), State::kOpen);
  EXPECT_EQ(actions(standing), (std::vector<Action>{Action::kBlock, Action::kUnblock, Action::kReset}));
}

TEST(Standing, AReloadKeepsSampleAndState) {
  Standing standing(general());
  send_many(standing, 200, Kind::kHard, kStart);
  conf::RuleThreshold stricter;
  stricter.min_messages = 201;
  standing.set(limits_with({stricter}));
  send(standing, Kind::kHard, kStart);
  ASSERT_EQ(standing.state(), State::kBlocked);
  standing.set(general());
  EXPECT_EQ(standing.blocked_until(), kStart + 3h);
  standing.set(PathLimits{});  // no threshold any more: the block ends without probes
  EXPECT_FALSE(standing.may_send(kStart + 3h - 1us).yes);
  EXPECT_TRUE(standing.may_send(kStart + 3h).yes);
  EXPECT_EQ(standing.state(), State::kOpen);
  Standing probing(general());
  Instant now = kStart;
  block_and_wait(probing, &now);
  send(probing, Kind::kHard, now);
  stricter.probes = 1;
  probing.set(limits_with({stricter}));
  EXPECT_FALSE(probing.may_send(now).yes);
  EXPECT_EQ(probing.state(), State::kBlocked);
}

TEST(Standing, KeepsTheLatestThreeRefusalsShort) {
  Standing standing(general());
  send(standing, Kind::kHard, kStart, "550 first");
  send(standing, Kind::kHard, kStart, "550 second");
  send(standing, Kind::kIgnored, kStart, "450 ignored");
  send(standing, Kind::kSoft, kStart, std::string(199, 'x') + "\xc3\xa4y");
  send(standing, Kind::kSoft, kStart, "452 last");
  EXPECT_EQ(standing.replies(), (std::vector<std::string>{"452 last", std::string(199, 'x'), "550 second"}));
}

TEST(Standing, IsForgottenWhenItKnowsNothing) {
  Standing standing(general());
  EXPECT_TRUE(standing.idle(kStart));
  send(standing, Kind::kHard, kStart);
  EXPECT_TRUE(standing.dirty());
  EXPECT_FALSE(standing.idle(kStart + 59min));
  EXPECT_TRUE(standing.idle(kStart + 1h));
  const Moment moment{kStart + 1h, conf::WallTime(Duration(1'800'000'000'000'000))};
  EXPECT_EQ(standing.save(moment), "");
  EXPECT_FALSE(standing.dirty());
  Instant now = kStart + 2h;
  block_and_wait(standing, &now);
  standing.take_decisions();
  EXPECT_FALSE(standing.idle(now + 24h * 6));
  EXPECT_TRUE(standing.idle(now + 24h * 7));  // nobody wanted to send for a week
}

TEST(Standing, ABlockThatNobodyAsksAboutAnyMoreIsForgottenAWeekAfterItsEnd) {
  Standing standing(general());
  send_many(standing, 300, Kind::kHard, kStart);
  ASSERT_EQ(standing.state(), State::kBlocked);
  standing.take_decisions();
  const Instant end = standing.blocked_until();
  EXPECT_FALSE(standing.idle(end + 24h * 6));
  EXPECT_TRUE(standing.idle(end + 24h * 7));
}

// What was learned is forgotten by an order, not what was counted.
TEST(Standing, AResetLearnsAnew) {
  PathLimits limits;
  limits.adaptive = conf::AdaptiveMode::kOn;
  limits.adaptive_min_per_hour = 100;
  limits.adaptive_max_per_hour = 10'000;
  limits.warmup = {100, 200};
  Standing standing(limits);
  Outcome slow = outcome_of(Kind::kSoft, "421 4.7.28 slow down");
  slow.sender_scope = slow.throttling = true;
  for (int i = 0; i < 100; ++i) {
    const Standing::Attempt attempt = standing.began(kStart);
    standing.outcome(attempt, slow, kStart);
    standing.ended(attempt, true, kStart);
  }
  EXPECT_EQ(standing.learned_per_hour(), 0u);
  standing.may_send(kStart + 10min);
  EXPECT_EQ(standing.learned_per_hour(), 2'000u);
  EXPECT_EQ(actions(standing), (std::vector<Action>{Action::kAdapt}));
  EXPECT_EQ(standing.ladder(kStart + 10min).deferred, 100u);
  standing.reset(kStart + 10min);
  EXPECT_EQ(standing.learned_per_hour(), 0u);
  EXPECT_EQ(standing.ladder(kStart + 10min).deferred, 0u);
  EXPECT_EQ(standing.ladder(kStart + 10min).used, 100u);
}

// A site that never refused: its standing with one threshold and the slots of its sample.
static_assert(sizeof(Standing) + sizeof(Threshold) + Threshold::kSlots * 4 <= 700);

}  // namespace
}  // namespace mx
