#include "bench/load/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "conf/vocab/random.h"

namespace bench::load {
namespace {

TEST(Latency, IsExactBelow256AndNeverTooLowAbove) {
  for (int64_t us = 0; us < 256; ++us) {
    Latency latency;
    latency.add(us);
    latency.add(1'000'000'000);
    EXPECT_EQ(latency.percentile(0.5), us);
  }
  conf::Random random(7);
  for (int i = 0; i < 100'000; ++i) {
    const int64_t us = static_cast<int64_t>(random.next() >> (1 + random.below(60)));
    Latency latency;
    latency.add(us);
    latency.add(INT64_MAX);
    const int64_t told = latency.percentile(0.5);
    ASSERT_GE(told, us);
    ASSERT_LE(static_cast<double>(told - us), static_cast<double>(us) / 128) << us;
  }
}

TEST(Latency, TellsThePercentilesOfASortedListWithinItsError) {
  conf::Random random(1);
  Latency latency;
  std::vector<int64_t> all;
  for (int i = 0; i < 200'000; ++i) {
    all.push_back(static_cast<int64_t>(std::exp(random.unit() * 12)));
    latency.add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const size_t rank = std::max<size_t>(1, static_cast<size_t>(std::ceil(share * 200'000 - 1e-6)));
    const double exact = static_cast<double>(all[rank - 1]);
    EXPECT_GE(static_cast<double>(latency.percentile(share)), exact) << share;
    EXPECT_LE(static_cast<double>(latency.percentile(share)), exact * 1.008 + 1) << share;
  }
  EXPECT_EQ(latency.percentile(1), all.back());
  EXPECT_EQ(latency.max(), all.back());
}

TEST(Latency, AHundredValuesHaveTheirRanks) {
  Latency latency;
  for (int64_t us = 1; us <= 100; ++us) latency.add(us);
  EXPECT_EQ(latency.percentile(0.5), 50);
  EXPECT_EQ(latency.percentile(0.9), 90);
  EXPECT_EQ(latency.percentile(0.99), 99);
  EXPECT_EQ(latency.percentile(0.999), 100);
  EXPECT_DOUBLE_EQ(latency.mean(), 50.5);
}

TEST(Latency, MergedIsTheSameAsAddedToOne) {
  conf::Random random(3);
  Latency one;
  Latency two;
  Latency both;
  for (int i = 0; i < 10'000; ++i) {
    const int64_t us = static_cast<int64_t>(random.below(i % 2 == 0 ? 1000 : 10'000'000));
    (i % 2 == 0 ? one : two).add(us);
    both.add(us);
  }
  one.merge(two);
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.max(), both.max());
  for (int i = 0; i <= 1000; ++i) EXPECT_EQ(one.percentile(i / 1000.0), both.percentile(i / 1000.0));
}

TEST(Latency, EmptyAndNegativeAreZero) {
  Latency latency;
  EXPECT_EQ(latency.percentile(0.99), 0);
  latency.add(-5);
  EXPECT_EQ(latency.percentile(0.99), 0);
  EXPECT_EQ(latency.count(), 1U);
}

}  // namespace
}  // namespace bench::load
