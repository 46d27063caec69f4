#include "relay/queue/body_room.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "conf/vocab/random.h"
#include "relay/queue/body_size.h"

namespace relay::queue {
namespace {

constexpr uint64_t kBudget = 80'000'000;

TEST(BodyRoom, ALeaseGivesBackWhereverItEnds) {
  BodyRoom room(kBudget);
  {
    BodyRoom::Lease one = room.take(BodyShare::kBig, 1000);
    BodyRoom::Lease other = std::move(one);
    EXPECT_EQ(room.held(), 1000U) << "it moved, and is one still";
    other.shrink_to(300);
    EXPECT_EQ(room.read_back(), 300U);
    other.shrink_to(400);
    EXPECT_EQ(room.held(), 300U) << "it does not grow";
    other = room.take(BodyShare::kSmall, 50);
    EXPECT_EQ(room.held(), 50U) << "what it was before is given back";
    other.give_back();
    other.give_back();
    EXPECT_EQ(room.held(), 0U);
    one = room.take(BodyShare::kReport, 7);
  }
  EXPECT_EQ(room.held(), 0U);
}

TEST(BodyRoom, WhatIsKeptLeavesAQuarter) {
  BodyRoom room(kBudget);
  std::vector<BodyRoom::Lease> kept;
  while (auto lease = room.keep(1'000'000)) kept.push_back(std::move(*lease));
  EXPECT_EQ(kept.size(), 60U);
  EXPECT_TRUE(room.fits(BodyShare::kBig, 10'000'000, 0));
  const BodyRoom::Lease big = room.take(BodyShare::kBig, 10'000'000);
  EXPECT_FALSE(room.fits(BodyShare::kBig, 1'000'000, 0)) << "an eighth is for small ones";
  EXPECT_TRUE(room.fits(BodyShare::kSmall, 250'000, 9'750'000));
}

TEST(BodyRoom, BigOnesThatAreSlowKeepNoSmallOnesOut) {
  BodyRoom room(kBudget);
  std::vector<BodyRoom::Lease> big;
  while (room.fits(BodyShare::kBig, 1'000'000, 0)) big.push_back(room.take(BodyShare::kBig, 1'000'000));
  EXPECT_EQ(big.size(), 70U);
  size_t small = 0;
  for (std::vector<BodyRoom::Lease> all; room.fits(BodyShare::kSmall, 100'000, 0); ++small)
    all.push_back(room.take(BodyShare::kSmall, 100'000));
  EXPECT_EQ(small, 100U);
}

TEST(BodyRoom, OneBodyGoesHoweverBigItIs) {
  BodyRoom room(kBudget);
  EXPECT_EQ(room.share_of(3 * kBudget), BodyShare::kBig);
  ASSERT_TRUE(room.fits(BodyShare::kBig, 3 * kBudget, 0));
  EXPECT_FALSE(room.fits(BodyShare::kBig, 3 * kBudget, 1)) << "not beside what another was promised";
  const BodyRoom::Lease huge = room.take(BodyShare::kBig, 3 * kBudget);
  EXPECT_FALSE(room.fits(BodyShare::kBig, 300'000, 0));
  EXPECT_TRUE(room.fits(BodyShare::kSmall, 200'000, 0)) << "small ones go beside it";
  EXPECT_FALSE(room.keep(200'000).has_value());
}

TEST(BodyRoom, ASmallBudgetHasSmallBodiesToo) {
  const BodyRoom room(1'000'000);
  EXPECT_EQ(room.share_of(62'500), BodyShare::kSmall);
  EXPECT_EQ(room.share_of(62'501), BodyShare::kBig);
}

// What is kept of a bigger budget may stay for hours; what stood in line as a small one then goes on.
TEST(BodyRoom, ASmallerBudgetStopsNobody) {
  BodyRoom room(kBudget);
  const auto kept = room.keep(kBudget / 2);
  ASSERT_TRUE(kept.has_value());
  ASSERT_EQ(room.share_of(200'000), BodyShare::kSmall);
  room.set_budget(1'000'000);
  EXPECT_TRUE(room.fits(BodyShare::kSmall, 200'000, 0));
  EXPECT_TRUE(room.fits(BodyShare::kBig, 200'000, 0));
  const BodyRoom::Lease one = room.take(BodyShare::kSmall, 60'000);
  EXPECT_TRUE(room.fits(BodyShare::kSmall, 60'000, 0));
  EXPECT_FALSE(room.fits(BodyShare::kSmall, 60'000, 60'000));
}

TEST(BodyRoom, SaysThatSomethingMayFitNow) {
  BodyRoom room(kBudget);
  BodyRoom::Lease lease = room.take(BodyShare::kBig, 1000);
  uint64_t before = room.changes();
  lease.give_back();
  EXPECT_NE(room.changes(), before);
  before = room.changes();
  room.set_budget(2 * kBudget);
  EXPECT_NE(room.changes(), before);
}

TEST(BodyRoom, WhileABigOneWaitsSmallOnesHaveTheirShareOnly) {
  BodyRoom room(kBudget);
  const BodyRoom::Lease small = room.take(BodyShare::kSmall, kBudget / 8);
  EXPECT_TRUE(room.fits(BodyShare::kSmall, 100'000, 0));
  EXPECT_TRUE(room.keep(1000).has_value());
  room.wait(false, true);
  EXPECT_FALSE(room.fits(BodyShare::kSmall, 100'000, 0));
  EXPECT_FALSE(room.keep(1000).has_value());
  room.wait(true, false);
  EXPECT_TRUE(room.fits(BodyShare::kSmall, 100'000, 0));
  EXPECT_FALSE(room.keep(1000).has_value());
}

TEST(BodyRoom, KnowsWhatPassedTheFirstAndIsHeldStill) {
  BodyRoom room(kBudget);
  BodyRoom::Lease before = room.take(BodyShare::kBig, 1000);
  room.begin_passing(BodyShare::kBig);
  EXPECT_EQ(room.passed(BodyShare::kBig), 0U);
  BodyRoom::Lease after = room.take(BodyShare::kBig, 300);
  BodyRoom::Lease moved = std::move(after);
  const BodyRoom::Lease other = room.take(BodyShare::kSmall, 50);
  EXPECT_EQ(room.passed(BodyShare::kBig), 300U);
  moved.shrink_to(200);
  before.give_back();
  EXPECT_EQ(room.passed(BodyShare::kBig), 200U);
  room.begin_passing(BodyShare::kBig);
  moved.give_back();
  EXPECT_EQ(room.passed(BodyShare::kBig), 0U);
}

// Whatever comes and goes, and whatever the budget was before.
TEST(BodyRoom, HoldsNoMoreThanTheBudgetAndOneBody) {
  conf::Random random(7);
  BodyRoom room(kBudget);
  std::vector<BodyRoom::Lease> held;
  for (int i = 0; i < 200'000; ++i) {
    if (!held.empty() && random.chance(0.49)) {
      std::swap(held[random.below(held.size())], held.back());
      held.pop_back();
      continue;
    }
    const uint64_t bytes = random.chance(0.5) ? random.below(200'000) + 1 : random.below(kBudget / 3) + 1;
    const BodyShare share = room.share_of(bytes);
    if (random.chance(0.5)) {
      if (auto lease = room.keep(bytes)) held.push_back(std::move(*lease));
    } else if (room.fits(share, bytes, 0)) {
      held.push_back(room.take(share, bytes));
    }
    ASSERT_LE(room.held(), kBudget + kBudget / 3);
  }
  held.clear();
  EXPECT_EQ(room.held(), 0U);
}

TEST(BodySize, IsRoundedUpByAnEighthAtMost) {
  EXPECT_EQ(BodySize().bytes(), 0U);
  for (uint64_t bytes = 1; bytes < 10'000'000'000; bytes += 1 + bytes / 100) {
    const uint64_t rounded = BodySize::of(bytes).bytes();
    ASSERT_GE(rounded, bytes);
    ASSERT_LE(rounded, bytes + std::max<uint64_t>(64, bytes / 8)) << bytes;
  }
  for (uint64_t bytes = 64; bytes < 10'000'000'000; bytes *= 2) {
    EXPECT_EQ(BodySize::of(bytes).bytes(), bytes);
    EXPECT_GT(BodySize::of(bytes + 1).bytes(), bytes);
  }
}

}  // namespace
}  // namespace relay::queue
