#include "mx/limits/warmup.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "conf/vocab/random.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'000)};

PathLimits limits_of(std::vector<uint32_t> steps) {
  PathLimits limits;
  limits.warmup = std::move(steps);
  limits.warmup_hold_ppm = 50'000;
  return limits;
}

void send(WarmUp& ladder, bool deferred, Instant now) {
  Outcome outcome;
  outcome.kind = deferred ? Outcome::Kind::kSoft : Outcome::Kind::kAccepted;
  outcome.sender_scope = deferred;
  ladder.charge(now);
  ladder.count(outcome);
}

TEST(WarmUp, JudgesADay) {
  struct Case {
    int messages, deferred;
    uint32_t step;  // from the second one (index 1), 100 a day
    const char* text;
  };
  const Case cases[] = {
      {100, 0, 2,
       "a day at step 2: 100 of 100 messages sent, 0.0 % deferred; risen to 200 a day (step 3 of 3)"},
      {80, 4, 2,
       "a day at step 2: 80 of 100 messages sent, 5.0 % deferred; risen to 200 a day (step 3 of 3)"},
      {79, 0, 1, "a day at step 2: 79 of 100 messages sent, 0.0 % deferred; held at 100 a day (step 2 of 3)"},
      {100, 6, 1,
       "a day at step 2: 100 of 100 messages sent, 6.0 % deferred; held at 100 a day (step 2 of 3)"},
      {100, 20, 1,
       "a day at step 2: 100 of 100 messages sent, 20.0 % deferred; held at 100 a day (step 2 of 3)"},
      {100, 21, 0,
       "a day at step 2: 100 of 100 messages sent, 21.0 % deferred; back to 50 a day (step 1 of 3)"},
  };
  for (const Case& c : cases) {
    WarmUp ladder(limits_of({50, 100, 200}));
    Decision decision;
    for (int i = 0; i < 50; ++i) send(ladder, false, kStart);
    EXPECT_FALSE(ladder.tick(kStart + 24h - 1us, &decision));
    ASSERT_TRUE(ladder.tick(kStart + 24h, &decision));
    ASSERT_EQ(ladder.step(), 1u);
    const Instant day = kStart + 30h;
    for (int i = 0; i < c.messages; ++i) send(ladder, i < c.deferred, day);
    EXPECT_EQ(ladder.view(day).deferred, static_cast<uint64_t>(c.deferred));
    ASSERT_TRUE(ladder.tick(day + 24h, &decision));
    EXPECT_EQ(ladder.step(), c.step) << c.text;
    EXPECT_EQ(decision.text, c.text);
    EXPECT_EQ(decision.rate_per_day, ladder.per_day());
    EXPECT_EQ(decision.by, "warm-up");
  }
}

TEST(WarmUp, RefusalsOfAddressesDoNotHoldIt) {
  WarmUp ladder(limits_of({50, 100}));
  Outcome hard;
  hard.kind = Outcome::Kind::kHard;
  hard.recipient_scope = true;
  Outcome full;  // a full mailbox
  full.kind = Outcome::Kind::kSoft;
  full.recipient_scope = true;
  for (int i = 0; i < 50; ++i) {
    ladder.charge(kStart);
    ladder.count(i % 2 == 0 ? hard : full);
  }
  Decision decision;
  ASSERT_TRUE(ladder.tick(kStart + 24h, &decision));
  EXPECT_EQ(ladder.step(), 1u);
}

TEST(WarmUp, EndsAboveTheLastStepUntilItIsReset) {
  WarmUp ladder(limits_of({10, 20}));
  Decision decision;
  for (int i = 0; i < 10; ++i) send(ladder, false, kStart);
  ASSERT_TRUE(ladder.tick(kStart + 24h, &decision));
  for (int i = 0; i < 20; ++i) send(ladder, false, kStart + 24h);
  ASSERT_TRUE(ladder.tick(kStart + 48h, &decision));
  EXPECT_EQ(ladder.per_day(), 0u);
  EXPECT_EQ(decision.rate_per_day, 0u);
  EXPECT_EQ(
      decision.text,
      "a day at step 2: 20 of 20 messages sent, 0.0 % deferred; the ladder is over, only the limits of the "
      "rule hold");
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(ladder.may_send(kStart + 49h).yes);
    send(ladder, false, kStart + 49h);
  }
  EXPECT_FALSE(ladder.tick(kStart + 200h, &decision));
  EXPECT_FALSE(ladder.idle(kStart + 900h));  // must be remembered
  ladder.reset();
  EXPECT_EQ(ladder.per_day(), 10u);
}

// Mail that waits all the time: no 24 hours hold more than the highest step so far, and not_before is exact.
TEST(WarmUp, NoDayHoldsMoreThanItsStep) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    conf::Random random(seed);
    WarmUp ladder(limits_of({50, 100, 200, 400, 800}));
    const double share = random.chance(0.3) ? 0.3 : 0.02;
    std::vector<Instant> times;
    Decision decision;
    Instant now = kStart;
    uint32_t highest = 50;
    while (now < kStart + 24h * 7 && ladder.per_day() != 0) {
      ladder.tick(now, &decision);
      if (ladder.per_day() == 0) break;
      highest = std::max(highest, ladder.per_day());
      const Admission admission = ladder.may_send(now);
      if (!admission.yes) {
        ASSERT_EQ(admission.bind, Bind::kWarmUp);
        WarmUp before = ladder;
        before.tick(admission.not_before - 1us, &decision);
        ASSERT_FALSE(before.may_send(admission.not_before - 1us).yes) << seed;
        ladder.tick(admission.not_before, &decision);
        ASSERT_TRUE(ladder.may_send(admission.not_before).yes) << seed;
        now = admission.not_before;
        continue;
      }
      times.push_back(now);
      send(ladder, random.chance(share), now);
      size_t in_a_day = 0;
      for (size_t i = times.size(); i-- > 0 && now - times[i] < 24h;) ++in_a_day;
      ASSERT_LE(in_a_day, highest) << seed;
      now += Duration(static_cast<int64_t>(random.below(60'000)) * 1000);
    }
    if (share < 0.05) {
      EXPECT_GE(highest, 400u) << seed;
    } else {
      EXPECT_EQ(highest, 50u) << seed;
    }
  }
}

}  // namespace
}  // namespace mx
