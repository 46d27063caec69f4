#include "mx/limits/rate_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "conf/vocab/random.h"
#include "tests/mx/limits/most_in.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'123)};

// Sends whenever it may.
std::vector<Instant> greedy(const conf::RuleRate& rate, Duration length) {
  RateLimit limit(rate);
  std::vector<Instant> times;
  for (Instant now = limit.not_before(kStart); now < kStart + length; now = limit.not_before(now)) {
    limit.charge(now);
    times.push_back(now);
  }
  return times;
}

std::string saved(const RateLimit& limit, const Moment& moment) {
  std::string out;
  SavedWriter writer(&out, moment);
  limit.save(&writer, moment);
  return out;
}

void restore(const std::string& bytes, const Moment& moment, RateLimit* limit) {
  SavedReader in(bytes, moment);
  const RateLimit::State state = RateLimit::read(&in);
  ASSERT_TRUE(in.ok() && in.ended());
  limit->restore(state, moment);
}

TEST(RateLimit, TheBurstIsAPartOfTheRate) {
  RateLimit limit({100, 1min, 20});
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(limit.available(kStart), 20u - i);
    ASSERT_EQ(limit.not_before(kStart), kStart) << i;
    limit.charge(kStart);
  }
  EXPECT_EQ(limit.not_before(kStart), kStart + 610ms);
  Instant now = kStart;
  for (int i = 20; i < 100; ++i) {
    now += 610ms;
    ASSERT_EQ(limit.not_before(now - 1us), now) << i;
    limit.charge(now);
  }
  EXPECT_EQ(limit.available(now + 1s), 0u) << "the bucket would let it go, the minute is full";
  const Instant free = limit.not_before(now);
  EXPECT_GE(free, kStart + 61s);
  EXPECT_LT(free, kStart + 61s + 1ms);
  EXPECT_EQ(limit.available(free), 20u) << "and the first 20 go at once again";
  EXPECT_EQ(RateLimit().not_before(kStart), kStart);
  EXPECT_EQ(RateLimit().available(kStart), UINT32_MAX);
}

TEST(RateLimit, NothingOfTheRateIsLost) {
  for (const conf::RuleRate& rate : std::vector<conf::RuleRate>{
           {100, 1min, 1}, {100, 1min, 20}, {100, 1min, 100}, {6000, 1min, 100}, {5, 1s, 5}, {50, 1h, 50}}) {
    const std::vector<Instant> times = greedy(rate, rate.per * 20);
    EXPECT_LE(most_in(times, SlidingWindow::reach(rate.per)), rate.events);
    EXPECT_GE(times.size(), rate.events * 20 * 95 / 100) << rate.events << ", burst " << rate.burst;
    EXPECT_EQ(most_in(times, 1us), rate.burst);
  }
}

TEST(RateLimit, AChangedLimitKnowsThePast) {
  RateLimit limit({100, 1min, 1});
  Instant now = kStart;
  for (int i = 0; i < 100; ++i) {
    now = limit.not_before(now);
    limit.charge(now);
  }
  limit.set({100, 1min, 20});
  EXPECT_GE(limit.not_before(now + 1s), now + 61s) << "no burst on top of a minute that was full";
  RateLimit longer({100, 1min, 20});
  for (int i = 0; i < 20; ++i) longer.charge(kStart);
  longer.set({30, 1h, 20});
  EXPECT_GT(longer.not_before(kStart + 30min), kStart + 1h);
  longer.set({});
  EXPECT_EQ(longer.not_before(kStart), kStart);
}

TEST(RateLimit, SurvivesARestart) {
  const Moment before{kStart + 30s, conf::from_unix_micros(1'700'000'000'000'000)};
  const Moment after{Instant(7s), before.wall + 10s};
  for (const uint32_t burst : {1u, 20u}) {
    RateLimit limit({100, 1min, burst});
    Instant now = kStart;
    for (; now < before.now; now = limit.not_before(now)) limit.charge(now);
    RateLimit restored({100, 1min, burst});
    restore(saved(limit, before), after, &restored);
    EXPECT_LE(restored.available(after.now), limit.available(before.now + 10s));
    RateLimit with_burst({100, 1min, 50});
    restore(saved(limit, before), after, &with_burst);
    EXPECT_LE(with_burst.available(after.now), 100u - 50u) << burst;
    RateLimit late({100, 1min, burst});
    restore(saved(limit, before), {Instant(7s), before.wall + 2min}, &late);
    EXPECT_EQ(late.available(Instant(7s)), burst);
    EXPECT_LE(late.worth_until(Instant(7s)), Instant(7s));
  }
}

// Random rates, arrivals, refunds and restarts against a log of every charge.
TEST(RateLimit, HoldsOverEveryWindow) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    conf::Random random(seed);
    conf::RuleRate rate{1 + random.below(500), Duration(1 + random.below(100'000'000)), 1};
    rate.burst = static_cast<uint32_t>(1 + random.below(rate.events));
    if (rate.events > static_cast<uint64_t>(rate.per.count())) continue;
    RateLimit limit(rate);
    std::vector<Instant> times;
    Instant now = kStart;
    const uint64_t pace = 1 + random.below(static_cast<uint64_t>(rate.per.count()));
    for (int i = 0; i < 1500; ++i) {
      if (random.chance(0.1)) now += Duration(random.below(pace));
      const Instant free = limit.not_before(now);
      if (free > now) {
        ASSERT_EQ(limit.available(now), 0u);
        ASSERT_GT(limit.not_before(free - Duration(1)), free - Duration(1)) << "seed " << seed;
        ASSERT_EQ(limit.not_before(free), free) << "seed " << seed;
      }
      now = free;
      ASSERT_GE(limit.available(now), 1u);
      limit.charge(now);
      times.push_back(now);
      if (random.chance(0.05)) {
        const size_t which = times.size() - 1 - random.below(std::min<size_t>(times.size(), 20));
        limit.refund(times[which]);
        times.erase(times.begin() + static_cast<std::ptrdiff_t>(which));
      }
      if (random.chance(0.02)) {
        const Moment moment{now, conf::from_unix_micros(now.time_since_epoch().count() + 99)};
        const std::string bytes = saved(limit, moment);
        limit = RateLimit(rate);
        restore(bytes, moment, &limit);
      }
    }
    ASSERT_LE(most_in(times, SlidingWindow::reach(rate.per)), rate.events) << "seed " << seed;
    ASSERT_LE(most_in(times, 1us), rate.burst) << "seed " << seed;
  }
}

TEST(TokenBucket, NoWindowHoldsMoreThanBurstAndRate) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    conf::Random random(seed);
    const conf::RuleRate rate{1 + random.below(500), Duration(1 + random.below(100'000'000)),
                              static_cast<uint32_t>(1 + random.below(50))};
    if (rate.events > static_cast<uint64_t>(rate.per.count())) continue;
    TokenBucket bucket(rate);
    std::vector<Instant> times;
    Instant now = kStart;
    const uint64_t pace = 1 + random.below(static_cast<uint64_t>(rate.per.count()));
    for (int i = 0; i < 300; ++i) {
      if (random.chance(0.3)) now += Duration(random.below(pace));
      const Instant free = bucket.not_before(now);
      if (free > now) {
        ASSERT_GT(bucket.not_before(free - Duration(1)), free - Duration(1));
      }
      now = free;
      bucket.charge(now);
      times.push_back(now);
      if (random.chance(0.05)) {
        const size_t which = times.size() - 1 - random.below(std::min<size_t>(times.size(), 20));
        bucket.refund(times[which]);
        times.erase(times.begin() + static_cast<std::ptrdiff_t>(which));
      }
      if (random.chance(0.02)) {
        const Moment moment{now, conf::from_unix_micros(now.time_since_epoch().count() + 99)};
        const conf::WallTime saved = bucket.save(moment);
        bucket = TokenBucket(rate);
        bucket.restore(saved, moment);
      }
    }
    for (size_t a = 0; a < times.size(); ++a) {
      for (size_t b = a; b < times.size(); ++b) {
        const double window = static_cast<double>((times[b] - times[a]).count());
        const double most = rate.burst + window * static_cast<double>(rate.events) / rate.per.count();
        ASSERT_LE(static_cast<double>(b - a + 1), most + 1e-6) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace mx
