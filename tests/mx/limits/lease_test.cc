#include "mx/limits/lease.h"

#include <gtest/gtest.h>

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Instant;
using conf::WallTime;

constexpr Instant kStart{conf::Duration(5'000'000'123)};
constexpr WallTime kWall{conf::Duration(1'700'000'000'000'000)};

TEST(Lease, HoldsForTenSecondsFromWhatIsOnDisk) {
  Lease lease;
  EXPECT_FALSE(lease.valid(kStart)) << "nothing is on disk yet";
  lease.renewed(kStart);
  EXPECT_TRUE(lease.valid(kStart));
  EXPECT_TRUE(lease.valid(kStart + 10s - 1us));
  EXPECT_FALSE(lease.valid(kStart + 10s));
  lease.renewed(kStart + 2s);
  EXPECT_EQ(lease.until(), kStart + 12s);
  lease.renewed(kStart + 1s);
  EXPECT_EQ(lease.until(), kStart + 12s) << "an older write takes nothing away";
}

TEST(Lease, ACrashLeavesAGapOfOneLease) {
  WallTime begin, end;
  ASSERT_TRUE(Lease::gap(Lease::record(kWall, false), kWall + 1h, &begin, &end));
  EXPECT_EQ(begin, kWall);
  EXPECT_EQ(end, kWall + 10s);
  ASSERT_TRUE(Lease::gap(Lease::record(kWall, false), kWall + 3s, &begin, &end));
  EXPECT_EQ(begin, kWall);
  EXPECT_EQ(end, kWall + 3s) << "not later than now";
}

TEST(Lease, AnOrderlyEndLeavesNone) {
  WallTime begin, end;
  EXPECT_FALSE(Lease::gap(Lease::record(kWall, true), kWall + 3s, &begin, &end));
}

TEST(Lease, WhatCannotBeTrustedLeavesTheLastTenSeconds) {
  const std::string good = Lease::record(kWall, true);
  const std::string future = Lease::record(kWall + 24h, false);
  for (const std::string& record :
       {std::string(), std::string("\x07"), good + "x", good.substr(0, 3), future}) {
    WallTime begin, end;
    ASSERT_TRUE(Lease::gap(record, kWall, &begin, &end));
    EXPECT_EQ(begin, kWall - 10s);
    EXPECT_EQ(end, kWall);
  }
}

}  // namespace
}  // namespace mx
