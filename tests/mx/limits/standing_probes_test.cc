// After a block: probes before its end and at it, and the ramp behind them.
#include <gtest/gtest.h>

#include <vector>

#include "tests/mx/limits/standing_rig.h"

namespace mx {
namespace {

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

// Greylisting, or "451 4.3.2 system not accepting": the host is down, and nobody has judged our mail.
TEST(Standing, ProbesThatNobodyJudgesPassNothingAndGoAgainAfterATenthOfTheBlock) {
  Standing standing(general());
  Instant now = kStart;
  block_and_wait(standing, &now);
  for (int round = 0; round < 3; ++round) {
    standing.take_decisions();
    send_many(standing, 4, Kind::kIgnored, now);
    ASSERT_EQ(standing.state(), State::kProbing);
    ASSERT_TRUE(standing.may_send(now).yes);
    const Standing::Attempt last = standing.began(now);
    EXPECT_FALSE(standing.may_send(now).yes) << "they count as sent";
    standing.outcome(last, outcome_of(Kind::kIgnored), now);
    standing.ended(last, true, now);
    ASSERT_EQ(standing.state(), State::kBlocked);
    EXPECT_EQ(standing.blocked_until(), now + 18min);
    EXPECT_EQ(standing.take_decisions().back().text,
              "no answer to a probe judges our mail: the host takes none for now, or puts all of it off: the "
              "block goes on, nothing is sent for 18 min");
    now += 18min;
    ASSERT_TRUE(standing.may_send(now).yes);
  }
  send_many(standing, 5, Kind::kHard, now);
  EXPECT_EQ(standing.blocked_until(), now + 6h) << "the second in a row that replies brought";
}

TEST(Standing, ThoseThatAreJudgedDecideForTheOthers) {
  for (const int bad : {1, 4}) {
    Standing standing(general());
    Instant now = kStart;
    block_and_wait(standing, &now);
    send_many(standing, bad, Kind::kHard, now);
    send_many(standing, 4 - bad, Kind::kIgnored, now);
    ASSERT_EQ(standing.state(), State::kProbing);
    send(standing, Kind::kIgnored, now);
    EXPECT_EQ(standing.blocked_until(), now + 6h) << bad;
  }
  Standing standing(general());
  Instant now = kStart;
  block_and_wait(standing, &now);
  send_many(standing, 3, Kind::kIgnored, now);
  send(standing, Kind::kHard, now);
  ASSERT_EQ(standing.state(), State::kProbing);
  send(standing, Kind::kAccepted, now);
  EXPECT_EQ(standing.state(), State::kRamp);
}

TEST(Standing, AProbeThatIsAskedToComeSlowerPassesNothing) {
  Standing standing(general());
  Instant now = kStart;
  block_and_wait(standing, &now);
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(standing.state(), State::kProbing);
    Outcome slower = outcome_of(Kind::kSoft);
    slower.throttling = true;
    const Standing::Attempt probe = standing.began(now);
    standing.outcome(probe, slower, now);
    standing.ended(probe, true, now);
  }
  EXPECT_EQ(standing.blocked_until(), now + 18min);
}

TEST(Standing, FailingProbesBlockAgainTwiceAsLongUpToTheBound) {
  Standing standing(general());
  Instant now = kStart;
  block_and_wait(standing, &now);
  for (const Duration length : {Duration(6h), Duration(12h), Duration(24h), Duration(24h)}) {
    standing.take_decisions();
    send_many(standing, 5, Kind::kSoft, now);
    ASSERT_EQ(standing.state(), State::kBlocked);
    EXPECT_EQ(standing.blocked_until(), now + length);
    const std::vector<Decision> decisions = standing.take_decisions();
    ASSERT_EQ(decisions.size(), 1u);
    EXPECT_EQ(decisions[0].by, "probes");
    EXPECT_EQ(decisions[0].errors, 5u);
    EXPECT_EQ(decisions[0].text,
              "5 of 5 probes were refused: nothing is sent " + until_text(now + length, now));
    now += length;
    ASSERT_TRUE(standing.may_send(now).yes);
  }
}

TEST(Standing, TheRampTripsWithASmallSample) {
  Standing standing(general());
  Instant now = kStart;
  block_and_wait(standing, &now);
  send(standing, Kind::kAccepted, now);
  ASSERT_EQ(standing.state(), State::kRamp);
  EXPECT_EQ(standing.most_connections(now), 1u);
  EXPECT_EQ(standing.most_connections(now + 3min), 8u);
  int sent = 0;
  for (; standing.may_send(now).yes; ++sent) send(standing, Kind::kHard, now);
  EXPECT_EQ(sent, 10);  // 2 x probes in the first minute
  EXPECT_EQ(standing.may_send(now).bind, Bind::kRamp);
  EXPECT_EQ(standing.may_send(now).not_before, now + 1min);
  now += 1min;
  for (; standing.may_send(now).yes; ++sent) send(standing, Kind::kHard, now);
  EXPECT_EQ(sent, 20);  // 4 x probes
  EXPECT_EQ(standing.state(), State::kBlocked);
  EXPECT_EQ(standing.blocked_until(), now + 6h);
  EXPECT_EQ(standing.take_decisions().back().text,
            "20 of 20 messages since the probes were refused (100.0 %): nothing is sent for 6 h");
}

TEST(Standing, TheRampEndsAndTheDoublingIsForgottenAfterADay) {
  for (const bool later : {false, true}) {
    Standing standing(general());
    Instant now = kStart;
    block_and_wait(standing, &now);
    send(standing, Kind::kAccepted, now);
    const Instant open = now + 10min;
    EXPECT_FALSE(standing.may_send(open - 1us).yes && standing.state() == State::kOpen);
    EXPECT_TRUE(standing.may_send(open).yes);
    EXPECT_EQ(standing.state(), State::kOpen);
    EXPECT_EQ(standing.most_connections(open), UINT32_MAX);
    now = later ? open + 24h : open + 24h - 1us;
    send_many(standing, 300, Kind::kHard, now);
    EXPECT_EQ(standing.blocked_until(), now + (later ? 3h : 6h));
  }
}

// The probe is on its way when a reply rule blocks, and when the threshold goes with an edit of the rule.
TEST(Standing, AProbeThatComesBackWhenThereIsNoThresholdAnyMoreIsJudgedByNobody) {
  Standing standing(general());
  Instant now = kStart;
  block_and_wait(standing, &now);
  const Standing::Attempt probe = standing.began(now);
  ASSERT_TRUE(probe.probe);
  standing.block_by_rule(now + 1h, "busy", now);
  standing.set(limits_with({}));
  standing.outcome(probe, outcome_of(Kind::kHard), now);
  standing.ended(probe, true, now);
  standing.refused(outcome_of(Kind::kSoft), now);
  EXPECT_FALSE(standing.may_send(now).yes) << "the block holds";
  EXPECT_TRUE(standing.may_send(now + 1h).yes);
  EXPECT_EQ(standing.state(), State::kOpen);
}

conf::RuleThreshold with_first_probe() {
  conf::RuleThreshold rule;
  rule.first_probe = 5min;
  return rule;
}

TEST(Standing, AFirstProbeThatPassesShortensTheBlock) {
  Standing standing(limits_with({with_first_probe()}));
  send_many(standing, 300, Kind::kHard, kStart);
  ASSERT_EQ(standing.blocked_until(), kStart + 3h);
  EXPECT_EQ(standing.may_send(kStart).not_before, kStart + 5min);
  EXPECT_FALSE(standing.may_send(kStart + 5min - 1us).yes);
  ASSERT_TRUE(standing.may_send(kStart + 5min).yes);
  EXPECT_EQ(standing.most_connections(kStart + 5min), 1u);
  const Standing::Attempt probe = standing.began(kStart + 5min);
  EXPECT_FALSE(standing.may_send(kStart + 5min).yes) << "one goes, not five";
  standing.outcome(probe, outcome_of(Kind::kAccepted), kStart + 5min);
  standing.ended(probe, true, kStart + 5min);
  EXPECT_EQ(standing.state(), State::kRamp);
  EXPECT_EQ(actions(standing), (std::vector<Action>{Action::kBlock, Action::kProbe, Action::kRamp}));
}

TEST(Standing, EarlyProbesThatFailNeverMakeABlockLonger) {
  Standing standing(limits_with({with_first_probe()}));
  send_many(standing, 300, Kind::kHard, kStart);
  for (const Duration at : {5min, 10min, 20min, 40min, 80min, 160min}) {
    EXPECT_EQ(standing.may_send(kStart + at - 1us).not_before, kStart + at);
    send(standing, Kind::kHard, kStart + at);
    EXPECT_EQ(standing.state(), State::kBlocked);
    EXPECT_EQ(standing.blocked_until(), kStart + 3h);
    EXPECT_FALSE(standing.may_send(kStart + at).yes);
  }
  EXPECT_EQ(standing.may_send(kStart + 161min).not_before, kStart + 3h);
  send_many(standing, 5, Kind::kHard, kStart + 3h);  // those at the end
  EXPECT_EQ(standing.blocked_until(), kStart + 9h) << "the second in a row, as without early probes";
}

TEST(Standing, WhatIsRefusedAfterAnEarlyProbeMakesTheSameBlockGoOn) {
  Standing standing(limits_with({with_first_probe()}));
  send_many(standing, 300, Kind::kHard, kStart);
  send(standing, Kind::kAccepted, kStart + 5min);  // luck
  ASSERT_EQ(standing.state(), State::kRamp);
  for (int i = 0; standing.state() == State::kRamp && i < 100; ++i)
    send(standing, Kind::kHard, kStart + 6min + 10s * i);
  ASSERT_EQ(standing.state(), State::kBlocked);
  EXPECT_EQ(standing.blocked_until(), kStart + 3h);
  EXPECT_EQ(standing.may_send(kStart + 9min + 30s).not_before, kStart + 10min);
}

TEST(Standing, AnEarlyProbeSurvivesARestart) {
  Standing before(limits_with({with_first_probe()}));
  send_many(before, 300, Kind::kHard, kStart);
  send(before, Kind::kHard, kStart + 5min);
  ASSERT_TRUE(before.may_send(kStart + 10min).yes);  // probing
  Standing after(limits_with({with_first_probe()}));
  const Moment moment{kStart + 10min, conf::WallTime{1h}};
  ASSERT_TRUE(after.restore(before.save(moment), moment));
  EXPECT_EQ(after.state(), State::kProbing);
  send(after, Kind::kHard, kStart + 12min);
  EXPECT_EQ(after.may_send(kStart + 12min).not_before, kStart + 20min);
  EXPECT_EQ(after.blocked_until(), kStart + 3h);
}

TEST(Standing, AnEarlyProbeThatNobodyJudgesMakesTheSameBlockGoOn) {
  Standing standing(limits_with({with_first_probe()}));
  send_many(standing, 300, Kind::kHard, kStart);
  for (const Duration at : {5min, 10min, 20min}) {
    ASSERT_TRUE(standing.may_send(kStart + at).yes);
    send(standing, Kind::kIgnored, kStart + at);
    EXPECT_EQ(standing.blocked_until(), kStart + 3h);
    EXPECT_EQ(standing.may_send(kStart + at).not_before, kStart + 2 * at);
  }
}

TEST(Standing, ProbesThatNobodyJudgedAreKeptOverARestart) {
  Standing before(general());
  Instant now = kStart;
  block_and_wait(before, &now);
  send_many(before, 3, Kind::kIgnored, now);
  Standing after(general());
  const Moment moment{now, conf::WallTime{1h}};
  ASSERT_TRUE(after.restore(before.save(moment), moment));
  send_many(after, 2, Kind::kIgnored, now);
  EXPECT_EQ(after.blocked_until(), now + 18min);
}

}  // namespace
}  // namespace mx
