#include "mx/limits/adaptive_rate.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "conf/vocab/random.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'000)};

PathLimits limits_of(conf::AdaptiveMode mode, uint32_t least, uint32_t most) {
  PathLimits limits;
  limits.adaptive = mode;
  limits.adaptive_min_per_hour = least;
  limits.adaptive_max_per_hour = most;
  return limits;
}

void send(AdaptiveRate& rate, bool throttled, Instant now) {
  Outcome outcome;
  outcome.kind = throttled ? Outcome::Kind::kSoft : Outcome::Kind::kAccepted;
  outcome.throttling = throttled;
  rate.charge(now);
  rate.count(outcome);
}
// A period with so many messages, of which so many are throttled; judged at its end.
bool period(AdaptiveRate& rate, int messages, int throttled, Instant begin, Decision* decision) {
  for (int i = 0; i < messages; ++i) send(rate, i < throttled, begin);
  return rate.tick(begin + 10min, decision);
}

TEST(AdaptiveRate, JudgesAPeriod) {
  struct Case {
    int messages, throttled;
    uint32_t rate;  // from 6000 an hour, 1000 in ten minutes
  };
  const Case cases[] = {
      {1000, 0, 6600},     // used in full, nobody complained
      {800, 0, 6600},      // 80 % used
      {799, 0, 6000},      // too little to tell
      {1000, 9, 6600},     // below 1 %
      {1000, 10, 6000},    // 1 %: stay
      {1000, 49, 6000},    // below 5 %
      {1000, 50, 4560},    // 5 %: 950 were taken, 5700 an hour, 80 % of that
      {1000, 500, 2400},   // half: 3000 an hour
      {1000, 1000, 1200},  // nothing was taken: a quarter of the rate counts as the ceiling
      {19, 19, 6000},      // fewer than 20 replies
      {20, 20, 1200},      //
  };
  for (const Case& c : cases) {
    AdaptiveRate rate(limits_of(conf::AdaptiveMode::kOn, 100, 7'500));
    Decision decision;
    ASSERT_TRUE(period(rate, 1'316, 66, kStart, &decision));  // 1250 were taken: a ceiling of 7500
    ASSERT_EQ(rate.per_hour(), 6'000u);
    EXPECT_EQ(period(rate, c.messages, c.throttled, kStart + 1h, &decision), c.rate != 6'000);
    EXPECT_EQ(rate.per_hour(), c.rate) << c.messages << " " << c.throttled;
    if (c.rate == 6'000) continue;
    EXPECT_TRUE(rate.learned());
    EXPECT_EQ(decision.action, Decision::Action::kAdapt);
    EXPECT_EQ(decision.rate_per_hour, c.rate);
    EXPECT_EQ(decision.messages, static_cast<uint64_t>(c.messages));
    EXPECT_EQ(decision.errors, static_cast<uint64_t>(c.throttled));
  }
}

TEST(AdaptiveRate, ClimbsToACeilingAndBeyondItADayLater) {
  AdaptiveRate rate(limits_of(conf::AdaptiveMode::kOn, 60, 60'000));
  Decision decision;
  Instant now = kStart;
  ASSERT_TRUE(period(rate, 10'000, 5'000, now, &decision));  // 30,000 an hour were taken
  ASSERT_EQ(rate.per_hour(), 24'000u);
  EXPECT_EQ(
      decision.text,
      "5000 of 10000 replies asked us to slow down (50.0 %): 24000 messages an hour from now on (before: "
      "60000)");
  const Instant ceiling = now + 10min;
  const auto climb = [&] {
    now += 10min;
    return period(rate, static_cast<int>(rate.per_hour() / 6), 0, now, &decision);
  };
  uint32_t last = rate.per_hour();
  while (now + 20min < ceiling + 24h) {
    climb();
    ASSERT_LE(rate.per_hour(), std::min(last + last / 10, 28'500u));  // 95 % of the ceiling
    last = rate.per_hour();
  }
  EXPECT_EQ(last, 28'500u);
  while (now + 20min < ceiling + 72h) {
    climb();
    ASSERT_LE(rate.per_hour(), last + last / 50);  // with care
    last = rate.per_hour();
  }
  EXPECT_EQ(last, 60'000u);
}

TEST(AdaptiveRate, StaysWithinItsBounds) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    conf::Random random(seed);
    PathLimits limits = limits_of(conf::AdaptiveMode::kOn, 500, 5'000);
    limits.messages_per_hour = seed % 2 == 0 ? 3'000 : 0;
    AdaptiveRate rate(limits);
    Instant now = kStart;
    for (int i = 0; i < 200; ++i) {
      Decision decision;
      const int messages = static_cast<int>(random.below(1'000));
      period(rate, messages, static_cast<int>(random.below(static_cast<uint64_t>(messages / 5 + 1))), now,
             &decision);
      now += 10min;
      ASSERT_GE(rate.per_hour(), 500u);
      ASSERT_LE(rate.per_hour(), seed % 2 == 0 ? 3'000u : 5'000u);
      ASSERT_LE(rate.ceilings().size(), AdaptiveRate::kCeilings);
      for (size_t k = 1; k < rate.ceilings().size(); ++k)
        ASSERT_GT(rate.ceilings()[k].per_hour, rate.ceilings()[k - 1].per_hour);
    }
  }
}

TEST(AdaptiveRate, AdviceDoesNotBind) {
  AdaptiveRate rate(limits_of(conf::AdaptiveMode::kAdvise, 10, 1'000));
  Decision decision;
  ASSERT_TRUE(period(rate, 100, 100, kStart, &decision));
  EXPECT_EQ(decision.action, Decision::Action::kAdvise);
  EXPECT_EQ(
      decision.text,
      "100 of 100 replies asked us to slow down (100.0 %): the rule would be \"messages_per_hour = 200\" "
      "(before: 1000)");
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(rate.may_send(kStart + 10min).yes);
    rate.charge(kStart + 10min);
  }
}

// A site that takes 40 messages a minute and asks for less above that: the rate settles near 2400 an hour.
TEST(AdaptiveRate, FindsWhatADestinationTakes) {
  AdaptiveRate rate(limits_of(conf::AdaptiveMode::kOn, 100, 50'000));
  std::deque<Instant> taken;
  Instant now = kStart;
  uint64_t sent = 0, throttled = 0;
  for (; now < kStart + 12h; now += 1s) {
    Decision decision;
    rate.tick(now, &decision);
    for (int i = 0; i < 20 && rate.may_send(now).yes; ++i) {
      while (!taken.empty() && taken.front() <= now - 10min) taken.pop_front();
      const bool refused = taken.size() >= 400;
      if (!refused) taken.push_back(now);
      send(rate, refused, now);
      if (now < kStart + 2h) continue;
      ++sent;
      throttled += refused ? 1 : 0;
    }
  }
  EXPECT_GT(rate.per_hour(), 1'500u);
  EXPECT_LT(rate.per_hour(), 2'640u);
  EXPECT_GT(sent, 15'000u);  // of 24,000 that the site would take in these ten hours
  EXPECT_LT(throttled * 20, sent);
}

TEST(AdaptiveRate, NotBeforeIsExactAcrossTheEndOfAPeriod) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    conf::Random random(seed);
    AdaptiveRate rate(limits_of(conf::AdaptiveMode::kOn, 12, 6'000));
    Instant now = kStart;
    Decision decision;
    const double share = random.unit() * 0.1;
    for (int i = 0; i < 3000; ++i) {
      rate.tick(now, &decision);
      const Admission admission = rate.may_send(now);
      if (!admission.yes) {
        AdaptiveRate before = rate;
        before.tick(admission.not_before - 1us, &decision);
        ASSERT_FALSE(before.may_send(admission.not_before - 1us).yes) << seed << " " << i;
        rate.tick(admission.not_before, &decision);
        ASSERT_TRUE(rate.may_send(admission.not_before).yes) << seed << " " << i;
        now = admission.not_before;
        continue;
      }
      send(rate, random.chance(share), now);
      now += Duration(static_cast<int64_t>(random.below(3)) * 500'000);
    }
  }
}

}  // namespace
}  // namespace mx
