#include "mx/limits/standing.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "conf/vocab/random.h"
#include "mx/limits/evidence.h"
#include "mx/limits/saved.h"

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

// Blocked at `now`, and past the block: the next attempt is a probe.
void block_and_wait(Standing& standing, Instant* now) {
  send_many(standing, 300, Kind::kHard, *now);
  ASSERT_EQ(standing.state(), State::kBlocked);
  *now = standing.blocked_until();
  ASSERT_TRUE(standing.may_send(*now).yes);
  ASSERT_EQ(standing.state(), State::kProbing);
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

TEST(Standing, HowLongErrorsHaveGoneOnSurvivesARestartAndAnotherWindow) {
  conf::RuleThreshold rule;
  rule.min_duration = 10min;
  Standing before(limits_with({rule}));
  send_many(before, 300, Kind::kHard, kStart);
  const std::string bytes = before.save({kStart + 1min, conf::WallTime{1h}});
  rule.window = 2h;
  Standing after(limits_with({rule}));
  ASSERT_TRUE(after.restore(bytes, {kStart + 1min, conf::WallTime{1h}}));
  send(after, Kind::kHard, kStart + 10min - 1s);
  EXPECT_EQ(after.state(), State::kOpen);
  send(after, Kind::kHard, kStart + 10min);
  EXPECT_EQ(after.state(), State::kBlocked);
}

// Orders are kept by themselves now; what stood beside one in an older file is read, and the order is not.
TEST(Standing, WhatWasSavedWithAnOrderIsReadWithoutIt) {
  const Moment moment{kStart, conf::WallTime{1h}};
  for (const uint64_t version : {1, 2, 3}) {
    for (const bool ordered : {false, true}) {
      std::string bytes;
      SavedWriter out(&bytes, moment);
      out.number(version);
      out.number(static_cast<uint8_t>(State::kBlocked));
      for (const uint64_t number : {0, 2, ordered ? 1 : 0})
        out.number(number);  // cause, doublings, the order
      out.instant(kStart + 1h);
      out.instant(kStart - 1h);
      if (version > 1) out.instant(kStart + 10h);  // the end of the order
      if (version > 1) out.length(2h);
      out.number(0);  // thresholds
      Evidence().save(&out);
      for (int none = 0; none < 2; ++none) out.number(0);                 // a learned rate, a ladder
      for (int none = 0; none < 2 && version > 2; ++none) out.number(0);  // early probes
      Standing standing(general());
      ASSERT_TRUE(standing.restore(bytes, moment)) << version;
      const bool blocked = version > 1 || !ordered;  // the first knew one end for both
      EXPECT_EQ(standing.state(), blocked ? State::kBlocked : State::kOpen) << version;
      EXPECT_EQ(standing.blocked_until(), blocked ? kStart + 1h : Instant{}) << version;
    }
  }
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

// A site with a mind of its own, and mail that is sent whenever it may. `restarts`: at these steps the
// process ends, and another one with another clock goes on from what was saved.
struct Story {
  conf::Random random;
  PathLimits limits;
  std::unique_ptr<Standing> standing;
  Duration shift{0};  // of the monotonic clock since the last restart
  Instant now = kStart;
  struct Flying {
    Standing::Attempt attempt;
    uint32_t block;
  };
  std::vector<Flying> flying;
  double refusing = 0.05;
  std::vector<std::string> told;
  uint32_t blocks = 0;
  uint32_t probes = 0;  // in flight and judged, of this block

  explicit Story(uint64_t seed) : random(seed) {
    conf::RuleThreshold hourly, quick;
    hourly.min_messages = 40;
    hourly.probes = 1 + static_cast<uint32_t>(random.below(8));
    hourly.error_rate_ppm = 300'000 + static_cast<uint32_t>(random.below(700'000));
    hourly.block = 10min;
    hourly.max_block = 2h;
    quick = hourly;
    quick.window = 5min;
    quick.scope = conf::ThresholdScope::kSender;
    limits.thresholds = {hourly, quick};
    limits.adaptive = random.chance(0.5) ? conf::AdaptiveMode::kOn : conf::AdaptiveMode::kAdvise;
    limits.adaptive_min_per_hour = 60;
    limits.adaptive_max_per_hour = 3'600;
    if (random.chance(0.5)) limits.warmup = {500, 1'000, 2'000};
    standing = std::make_unique<Standing>(limits);
  }
  Instant clock() const { return now + shift; }
  Moment moment() const {
    return {clock(), conf::WallTime(Duration(1'800'000'000'000'000)) + (now - kStart)};
  }
  void tell(std::string what) {
    told.push_back(std::to_string((now - kStart).count()) + " " + to_text(standing->state()) + " " + what);
  }

  void finish(size_t place, bool answered) {
    const auto [attempt, block] = flying[place];
    flying.erase(flying.begin() + static_cast<ptrdiff_t>(place));
    if (answered) {
      Outcome outcome = outcome_of(Kind::kAccepted);
      if (random.chance(refusing)) {
        const double kind = random.unit();
        outcome = outcome_of(kind < 0.4 ? Kind::kHard : kind < 0.9 ? Kind::kSoft : Kind::kIgnored, "4xx");
        outcome.sender_scope = random.chance(0.7);
        outcome.throttling = outcome.sender_scope && random.chance(0.3);
      }
      standing->outcome(attempt, outcome, clock());
    }
    standing->ended(attempt, answered, clock());
    if (attempt.probe && !answered && block == blocks) --probes;
  }

  void step(bool restart) {
    now += Duration(static_cast<int64_t>(random.below(8'000)) * 1000);
    if (random.chance(0.004)) now += Duration(static_cast<int64_t>(random.below(7'200'000)) * 1000);
    if (random.chance(0.01)) refusing = random.chance(0.5) ? 0.95 : 0.02;
    if (random.chance(0.003)) {  // a restart, or all connections are lost: in both stories
      while (!flying.empty()) finish(0, false);
      hear();  // decisions are written down as they fall
      if (restart) {
        const std::string saved = standing->save(moment());
        shift = static_cast<int64_t>(told.size() % 7) * 1000h - 2000h;
        standing = std::make_unique<Standing>(limits);
        ASSERT_TRUE(standing->restore(saved, moment()));
      } else {
        standing->save(moment());
      }
    }
    if (!flying.empty() && random.chance(0.5)) finish(random.below(flying.size()), random.chance(0.95));
    const Admission admission = standing->may_send(clock());
    tell(std::to_string(admission.yes) + " " + std::to_string(static_cast<int>(admission.bind)) + " " +
         (admission.not_before == conf::kNever || admission.yes
              ? "-"
              : std::to_string((admission.not_before - shift - kStart).count())));
    if (admission.yes && flying.size() < 10) begin();
    hear();
  }
  void hear() {
    for (const Decision& decision : standing->take_decisions()) {
      if (decision.action == Action::kBlock) {
        ++blocks;
        probes = 0;
      }
      tell(std::string(to_text(decision.action)) + " " + decision.by + ": " + decision.text);
    }
  }
  void begin() {
    const bool probing = standing->state() == State::kProbing;
    ASSERT_NE(standing->state(), State::kBlocked);
    flying.push_back({standing->began(clock()), blocks});
    ASSERT_EQ(flying.back().attempt.probe, probing);
    if (probing) {
      ASSERT_LE(++probes, limits.thresholds[0].probes);
    }
  }
};

TEST(Standing, ARestartChangesNothing) {
  size_t blocks = 0, ramps = 0, opens = 0, learned = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Story through(seed), again(seed);
    for (int i = 0; i < 4'000; ++i) {
      through.step(false);
      again.step(true);
      ASSERT_EQ(through.told.size(), again.told.size()) << seed;
      ASSERT_EQ(through.told.back(), again.told.back()) << seed;
    }
    ASSERT_EQ(through.told, again.told) << seed;
    for (const std::string& line : through.told) {
      blocks += line.find("block threshold") != std::string::npos ? 1 : 0;
      ramps += line.find("ramp probes") != std::string::npos ? 1 : 0;
      opens += line.find("open ramp:") != std::string::npos ? 1 : 0;
      learned += line.find("adaptive:") != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_GT(blocks, 100u);  // the stories are about something
  EXPECT_GT(ramps, 100u);
  EXPECT_GT(opens, 100u);
  EXPECT_GT(learned, 100u);
}

// In every state: no just before `not_before`, and yes then. Where rate and ladder bind beside the state, the
// end of a period may take away by then what the first answer counted on: asking again leads there.
TEST(Standing, NotBeforeIsExact) {
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    Story story(seed);
    const bool learning = seed % 2 == 0;
    if (!learning) {
      story.limits.adaptive = conf::AdaptiveMode::kOff;
      story.limits.warmup.clear();
      story.standing->set(story.limits);
    }
    for (int i = 0; i < 3'000; ++i) {
      story.step(false);
      if (!story.random.chance(0.2)) continue;
      Admission no = story.standing->may_send(story.now);
      int asked = 0;
      for (; !no.yes && no.not_before != conf::kNever; ++asked) {
        ASSERT_LT(asked, learning ? 4 : 1) << seed;
        ASSERT_GT(no.not_before, story.now);
        story.now = no.not_before - 1us;
        ASSERT_FALSE(story.standing->may_send(story.now).yes) << seed;
        story.now = no.not_before;
        no = story.standing->may_send(story.now);
      }
    }
  }
}

// After a crash nobody knows what went: rate, ladder and ramp count as used.
TEST(Standing, AGapCountsAsUsed) {
  PathLimits limits = general();
  limits.adaptive = conf::AdaptiveMode::kOn;
  limits.adaptive_min_per_hour = limits.adaptive_max_per_hour = 1'200;
  Standing standing(limits);
  ASSERT_TRUE(standing.may_send(kStart).yes);
  standing.assume_used(kStart - 3s, kStart);
  EXPECT_EQ(standing.may_send(kStart).bind, Bind::kAdaptive);
  limits.adaptive = conf::AdaptiveMode::kOff;
  limits.warmup = {240};
  Standing fresh(limits);
  fresh.assume_used(kStart - 3s, kStart);
  EXPECT_EQ(fresh.may_send(kStart).bind, Bind::kWarmUp);
  EXPECT_EQ(fresh.ladder(kStart).used, 20u);  // a twelfth: more cannot have gone
  EXPECT_EQ(fresh.ladder(kStart).per_day, 240u);
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

TEST(Standing, AnyBytesAreReadSafely) {
  const Moment moment{kStart, conf::WallTime(Duration(1'800'000'000'000'000))};
  Story story(5);
  for (int i = 0; i < 500; ++i) story.step(false);
  const std::string good = story.standing->save(story.moment());
  ASSERT_FALSE(good.empty());
  conf::Random random(9);
  size_t read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = good;
    for (uint64_t k = random.below(4); k-- > 0;)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    if (random.chance(0.2)) bytes.resize(random.below(bytes.size()));
    if (random.chance(0.1)) {
      for (char& byte : bytes) byte = static_cast<char>(random.next());
    }
    Standing standing(story.limits);
    const bool ok = standing.restore(bytes, moment);
    read += ok ? 1 : 0;
    if (!ok) {
      EXPECT_EQ(standing.save(moment), "");  // as new
    }
    Instant now = kStart;
    for (int k = 0; k < 3; ++k, now += 5h) {
      if (standing.may_send(now).yes) send(standing, Kind::kHard, now);
      standing.samples(now);
      standing.ladder(now);
      standing.save({now, moment.wall + (now - kStart)});
    }
  }
  EXPECT_GT(read, 1'000u);
}

}  // namespace
}  // namespace mx
