// What is known against a destination goes on when rules are edited, and what was lifted stays lifted.
#include "tests/mx/limits/rule_edits_rig.h"

namespace mx {
namespace {

conf::RuleThreshold nine_of_ten() {
  conf::RuleThreshold threshold;
  threshold.error_rate_ppm = 900'000;
  threshold.min_messages = 30;
  threshold.window = 1h;
  threshold.block = threshold.max_block = 3h;
  threshold.count_hard = true;
  return threshold;
}

class StandingEdits : public RuleEdits {
 protected:
  StandingEdits() { limits.thresholds = {nine_of_ten()}; }
  void refuse(const std::string& rule, int count) {
    Outcome refused;
    refused.kind = Outcome::Kind::kHard;
    for (int i = 0; i < count; ++i) {
      const auto counters = standing(rule);
      const Standing::Attempt attempt = counters->began(now().now);
      counters->outcome(attempt, refused, now().now);
      counters->ended(attempt, true, now().now);
    }
  }
  uint64_t errors(const std::string& rule) { return standing(rule)->samples(now().now).front().errors; }
};

TEST_F(StandingEdits, TheSampleGoesOn) {
  edit({{"all"}});
  refuse("all", 20);
  edit({{"some"}, {"all"}});
  refuse("some", 5);
  edit({{"all"}});
  refuse("all", 4);
  EXPECT_EQ(standing("all")->state(), Standing::State::kOpen) << "29 errors: no";
  refuse("all", 1);
  EXPECT_EQ(standing("all")->state(), Standing::State::kBlocked) << "the 30th: yes";
  const Instant until = standing("all")->blocked_until();
  time += 1min;
  edit({{"some"}, {"all"}});
  EXPECT_EQ(standing("some")->blocked_until(), until);
  standing("some")->unblock(now().now);
  edit({{"all"}});
  EXPECT_EQ(standing("all")->blocked_until(), until) << "lifted was another one, which it had beside it";
}

TEST_F(StandingEdits, ABlockThatWasLiftedSinceDoesNotComeBack) {
  edit({{"r"}});
  standing("r")->block_by_rule(kStart + 5h, "why", now().now);
  edit({{"r", RuleScope::kPool}});
  EXPECT_EQ(standing("r")->blocked_until(), kStart + 5h);
  standing("r")->unblock(now().now);
  edit({{"r"}});
  EXPECT_EQ(standing("r")->state(), Standing::State::kOpen);
  // Another one, which had nothing from it, lifts nothing.
  standing("r")->block_by_rule(kStart + 5h, "why", now().now);
  edit({{"r", RuleScope::kPool}});
  EXPECT_EQ(standing("r", "b|")->state(), Standing::State::kOpen);
  edit({{"r", RuleScope::kSource, true}});
  EXPECT_EQ(standing("r", "b|")->blocked_until(), kStart + 5h);
}

TEST_F(StandingEdits, TheLadderGoesOnAndDoesNotRise) {
  limits.warmup = {20, 40};
  edit({{"all"}});
  for (int i = 0; i < 18; ++i) {
    standing("all")->ended(standing("all")->began(now().now), true, now().now);
    time += 10min;
  }
  edit({{"some"}, {"all"}});
  EXPECT_EQ(standing("some")->ladder(now().now).used, 18U);
  EXPECT_EQ(standing("some")->ladder(now().now).step, 0U);
  time += 1s;
  standing("some")->ended(standing("some")->began(now().now), true, now().now);
  restart();
  edit({{"all", RuleScope::kPool}});
  EXPECT_EQ(standing("all")->ladder(now().now).used, 19U);
  EXPECT_EQ(standing("all")->ladder(now().now).per_day, 20U);
}

// The first of three rules still had the sample that the second took over.
TEST_F(StandingEdits, WhatAnOrderClearedDoesNotComeBackFromARuleThatIsGone) {
  for (const bool restarts : {false, true}) {
    edit({{"a"}});
    refuse("a", 20);
    time += 1s;
    edit({{"b"}});
    refuse("b", 10);
    ASSERT_EQ(standing("b")->state(), Standing::State::kBlocked);
    time += 1s;
    standing("b")->unblock(now().now);
    if (restarts) restart();
    edit({{"c"}});
    EXPECT_EQ(errors("c"), 0U) << restarts;
    refuse("c", 29);
    EXPECT_EQ(standing("c")->state(), Standing::State::kOpen);
    edit({{"d"}});
    EXPECT_EQ(errors("d"), 29U) << "and what came since goes on";
    disk.clear();
    make_table();
  }
}

TEST_F(StandingEdits, TheLadderCountsWhatWentUnderEveryRule) {
  limits.warmup = {20, 40};
  const auto send = [this](const std::string& rule, int count) {
    for (int i = 0; i < count; ++i) standing(rule)->ended(standing(rule)->began(now().now), true, now().now);
    time += 1s;
  };
  edit({{"a"}});
  send("a", 3);
  edit({{"b"}});
  send("b", 2);
  standing("b")->reset(now().now);
  edit({{"c"}});
  EXPECT_EQ(standing("c")->ladder(now().now).used, 5U);
}

}  // namespace
}  // namespace mx
