#include "mx/limits/quota.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "conf/vocab/random.h"
#include "tests/mx/limits/most_in.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'123)};

TEST(Quota, SharesLoseNothing) {
  uint32_t big = 0, small = 0;
  for (uint32_t i = 0; i < 12; ++i) {
    const uint32_t share = Quota::share(10'000, i);
    (share == 834 ? big : small) += 1;
    EXPECT_TRUE(share == 834 || share == 833);
  }
  EXPECT_EQ(big, 4u);
  EXPECT_EQ(small, 8u);
  for (const uint32_t quota : {1u, 11u, 12u, 13u, 1199u, 1200u, 4'000'000'000u}) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 12; ++i) sum += Quota::share(quota, i);
    EXPECT_EQ(sum, quota);
  }
}

TEST(Quota, ASliceIsSpentAtOnceThenTheNextOneBegins) {
  Quota quota(10'000, false);
  for (int i = 0; i < 834; ++i) {
    ASSERT_EQ(quota.not_before(kStart), kStart) << i;
    quota.charge(kStart);
  }
  EXPECT_EQ(quota.not_before(kStart), kStart + 5min);
  EXPECT_EQ(quota.used_in_slice(kStart), 834u);
  EXPECT_EQ(quota.not_before(kStart + 5min), kStart + 5min);
  EXPECT_EQ(quota.used_in_slice(kStart + 5min), 0u);
}

// Thirteen slices touch an hour: 10,833 with slices alone.
TEST(Quota, TheThirteenthSliceWaitsForTheSlidingHour) {
  Quota quota(10'000, false);
  std::vector<Instant> times;
  Instant now = kStart;
  // Late in the first slice, early in all the others.
  for (int i = 0; i < 834; ++i) {
    quota.charge(now);
    times.push_back(now);
  }
  now += 10s;
  while (now < kStart + 3h) {
    const Instant next = quota.not_before(now);
    ASSERT_GE(next, now);
    now = next;
    quota.charge(now);
    times.push_back(now);
  }
  EXPECT_LE(most_in(times, SlidingWindow::reach(1h)), 10'000u);
  EXPECT_GE(times.size(), 29'900u) << "and hardly anything is lost";
}

TEST(Quota, IsExactWhileSmall) {
  Quota quota(3, true);
  quota.set(3, false);
  for (const Duration at : {0s, 301s, 700s}) {
    ASSERT_EQ(quota.not_before(kStart + at), kStart + at);
    quota.charge(kStart + at);
  }
  const Instant free = quota.not_before(kStart + 1000s);
  EXPECT_GE(free, kStart + 3601s) << "an hour and its guard";
  EXPECT_LT(free, kStart + 3601s + 1ms);
  EXPECT_EQ(quota.used(kStart + 1000s), 3u);
  EXPECT_EQ(quota.used(free), 2u);
}

TEST(Quota, AQuotaBelowTwelveIsNotStarved) {
  Quota quota(2, false);
  std::vector<Instant> times;
  for (Instant now = kStart; now < kStart + 100h;) {
    now = std::max(quota.not_before(now), now);
    quota.charge(now);
    times.push_back(now);
    now += 7s;
  }
  EXPECT_LE(most_in(times, SlidingWindow::reach(1h)), 2u);
  EXPECT_GE(times.size(), 195u);
}

TEST(Quota, SmoothKeepsADistance) {
  Quota quota(1000, true);
  EXPECT_EQ(quota.not_before(kStart), kStart);
  quota.charge(kStart);
  EXPECT_EQ(quota.not_before(kStart), kStart + 3601ms);
  EXPECT_EQ(quota.not_before(kStart + 5s), kStart + 5s);
}

TEST(Quota, NoLimitIsNoLimitButCounts) {
  Quota quota;
  for (int i = 0; i < 100'000; ++i) {
    const Instant now = kStart + Duration(i * int64_t{72'000});  // two hours
    ASSERT_EQ(quota.not_before(now), now);
    quota.charge(now);
  }
  const uint32_t counted = quota.used(kStart + 2h);
  EXPECT_GE(counted, 50'000u);
  EXPECT_LE(counted, 51'000u) << "at most a minute too much";
  quota.set(1000, false);
  EXPECT_GT(quota.not_before(kStart + 2h), kStart + 2h + 58min) << "a new limit knows the past";
}

TEST(Quota, RefundGivesOneBack) {
  Quota quota(12, false);
  quota.charge(kStart);
  EXPECT_EQ(quota.not_before(kStart), kStart + 5min);
  quota.refund(kStart);
  EXPECT_EQ(quota.not_before(kStart), kStart);
  EXPECT_EQ(quota.used(kStart), 0u);
  quota.refund(kStart);
  EXPECT_EQ(quota.used(kStart), 0u) << "nothing is left to give back";
  quota.charge(kStart + 10s);
  quota.refund(kStart - 2h);
  EXPECT_EQ(quota.used(kStart + 10s), 1u) << "aged out";
}

TEST(Quota, AnIdleYearDoesNotConfuseTheRing) {
  Quota quota(5, false);
  for (int i = 0; i < 5; ++i) quota.charge(kStart + i * 5min);
  for (const Duration later : {2h, 24 * 20h, 24 * 25h, 24 * 50h, 24 * 365h}) {
    Quota copy = quota;
    EXPECT_EQ(copy.used(kStart + later), 0u);
    EXPECT_EQ(copy.not_before(kStart + later), kStart + later);
  }
}

TEST(Quota, HoldsOverEverySlidingDay) {
  for (const uint32_t limit : {50u, 5000u}) {
    Quota quota(limit, false, 24h);
    std::vector<Instant> times;
    Instant now = kStart;
    for (; now < kStart + 24h * 5; now += 11s) {
      now = quota.not_before(now);
      quota.charge(now);
      times.push_back(now);
    }
    EXPECT_LE(most_in(times, SlidingWindow::reach(24h)), limit);
    EXPECT_GE(times.size(), limit * 5 * 97 / 100);
    const Moment before{now, conf::from_unix_micros(1'700'000'000'000'000)};
    Quota restored(limit, false, 24h);
    restored.restore(quota.save(before), before);
    EXPECT_EQ(restored.used(now), quota.used(now));
    for (const Duration idle : {24h * 24, 24h * 50, 24h * 365}) {
      Quota copy = quota;
      EXPECT_TRUE(copy.save({now + idle, before.wall + idle}).runs.empty());
      EXPECT_EQ(copy.used(now + idle), 0u);
    }
  }
}

// Random limits, arrivals, refunds, changes and restarts against a log of every charge.
TEST(Quota, HoldsOverEverySlidingHour) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    conf::Random random(seed);
    const uint32_t limit = static_cast<uint32_t>(1 + random.below(seed % 3 == 0 ? 30 : 2000));
    const bool smooth = random.chance(0.2);
    Quota quota(limit, smooth);
    std::vector<Instant> times;
    Instant now = kStart - Duration(random.below(10'000'000'000));
    const uint64_t pace = 1 + random.below(20'000'000);
    for (int i = 0; i < 4000; ++i) {
      now += Duration(random.below(pace));
      if (random.chance(0.001)) now += Duration(random.below(7'200'000'000));
      Instant free = quota.not_before(now);
      ASSERT_GE(free, now);
      ASSERT_EQ(quota.not_before(now), free) << "asking changes nothing";
      if (free > now && random.chance(0.5)) continue;  // gave up
      if (free > now) {
        ASSERT_GT(quota.not_before(free - Duration(1)), free - Duration(1))
            << "seed " << seed << ": not earlier";
        ASSERT_EQ(quota.not_before(free), free) << "seed " << seed << ": exactly then";
      }
      now = free;
      quota.charge(now);
      times.push_back(now);
      if (random.chance(0.1)) {
        const size_t which = times.size() - 1 - random.below(std::min<size_t>(times.size(), 40));
        quota.refund(times[which]);
        times.erase(times.begin() + static_cast<std::ptrdiff_t>(which));
      }
      if (random.chance(0.01)) {  // a restart, with another origin of the monotonic clock
        const Moment before{now,
                            conf::from_unix_micros(1'700'000'000'000'000 + now.time_since_epoch().count())};
        const Quota::State state = quota.save(before);
        quota = Quota(limit, smooth);
        quota.restore(state, before);
      }
    }
    ASSERT_LE(most_in(times, SlidingWindow::reach(1h)), limit) << "seed " << seed;
  }
}

TEST(Quota, IsSpentNearlyInFull) {
  for (const uint32_t limit : {12u, 60u, 100u, 1000u, 10'000u}) {
    Quota quota(limit, false);
    uint32_t sent = 0;
    conf::Random random(limit);
    for (Instant now = kStart; now < kStart + 20h; now += Duration(random.below(100'000))) {
      now = quota.not_before(now);
      quota.charge(now);
      ++sent;
    }
    EXPECT_GE(sent, limit * 20 * 97 / 100) << limit;
    EXPECT_LE(sent, limit * 21) << limit;
  }
}

TEST(Quota, SurvivesARestart) {
  Quota quota(1200, false);
  Instant now = kStart;
  for (int i = 0; i < 1200; ++i) {
    now = quota.not_before(now);
    quota.charge(now);
    now += 100ms;
  }
  const Moment before{now, conf::from_unix_micros(1'700'000'000'000'000)};
  const Moment after{Instant(7s), before.wall + 60s};
  Quota restored(1200, false);
  restored.restore(quota.save(before), after);
  EXPECT_EQ(restored.used(after.now), 1200u);
  const Duration wait = quota.not_before(now + 60s) - (now + 60s);
  const Duration restored_wait = restored.not_before(after.now) - after.now;
  EXPECT_GT(wait, 1min);
  EXPECT_LE((wait - restored_wait).count(), 2000);
  EXPECT_GE((wait - restored_wait).count(), -2000);
  Quota late(1200, false);
  late.restore(quota.save(before), {Instant(7s), before.wall + 2h});
  EXPECT_EQ(late.not_before(Instant(7s)), Instant(7s));
  Quota back(1200, false);  // the wall clock was set back by a day: the hour counts from the restart
  back.restore(quota.save(before), {Instant(7s), before.wall - 24h});
  EXPECT_EQ(back.used(Instant(7s)), 1200u);
  EXPECT_LE(back.not_before(Instant(7s)), Instant(7s) + 1h + 5min);
}

// The guard: whatever the way to the receiver adds to each message, up to a second, it counts no more.
TEST(Quota, HoldsForAReceiverThatCountsLate) {
  conf::Random random(1);
  Quota quota(500, false);
  std::vector<Instant> sent;
  for (Instant now = kStart; now < kStart + 10h;) {
    now = quota.not_before(now);
    quota.charge(now);
    sent.push_back(now);
    if (random.chance(0.3)) now += Duration(random.below(20'000'000));
  }
  std::vector<Instant> read;
  for (const Instant at : sent) read.push_back(at + Duration(random.below(1'000'000)));
  std::ranges::sort(read);
  EXPECT_LE(most_in(read, 1h), 500u);
  EXPECT_GE(sent.size(), 4'500u);
}

}  // namespace
}  // namespace mx
