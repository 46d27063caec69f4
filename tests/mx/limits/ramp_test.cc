#include "mx/limits/ramp.h"

#include <gtest/gtest.h>

#include <string>

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'123)};

TEST(Ramp, DoublesEveryMinuteAndEndsAfterTen) {
  Ramp ramp;
  ramp.begin(10, kStart);
  uint32_t allowance = 10, connections = 1;
  for (int minute = 0; minute < 10; ++minute, allowance *= 2, connections *= 2) {
    const Instant begin = kStart + minute * 1min;
    EXPECT_FALSE(ramp.over(begin));
    EXPECT_EQ(ramp.connections(begin), connections);
    EXPECT_EQ(ramp.allowance(begin + 1min - 1us), allowance);
    for (uint32_t i = 0; i < allowance; ++i) {
      const Instant now = begin + Duration(i);
      ASSERT_TRUE(ramp.may_send(now).yes) << minute << " " << i;
      ramp.charge(now);
    }
    const Admission no = ramp.may_send(begin + 30s);
    EXPECT_FALSE(no.yes);
    EXPECT_EQ(no.bind, Bind::kRamp);
    EXPECT_EQ(no.not_before, begin + 1min);
    EXPECT_FALSE(ramp.may_send(begin + 1min - 1us).yes);
  }
  EXPECT_FALSE(ramp.over(kStart + 10min - 1us));
  EXPECT_TRUE(ramp.over(kStart + 10min));
  EXPECT_EQ(ramp.ends(), kStart + 10min);
}

TEST(Ramp, WhatGotNoAnswerIsGivenBackInItsMinute) {
  Ramp ramp;
  ramp.begin(2, kStart);
  ramp.charge(kStart);
  ramp.charge(kStart);
  EXPECT_FALSE(ramp.may_send(kStart).yes);
  ramp.refund(kStart - 1us);  // begun before the ramp
  EXPECT_FALSE(ramp.may_send(kStart).yes);
  ramp.refund(kStart);
  EXPECT_TRUE(ramp.may_send(kStart).yes);
  for (int i = 0; i < 4; ++i) ramp.charge(kStart + 1min);
  ramp.refund(kStart);  // of the minute before
  EXPECT_FALSE(ramp.may_send(kStart + 1min).yes);
}

TEST(Ramp, GoesOnAfterARestart) {
  Ramp ramp;
  ramp.begin(3, kStart);
  for (int i = 0; i < 5; ++i) ramp.charge(kStart + 70s);
  std::string bytes;
  const Moment before{kStart + 80s, conf::WallTime(Duration(1'800'000'000'000'000))};
  SavedWriter out(&bytes, before);
  ramp.save(&out);
  const Moment after{Instant(1h), before.wall + 20s};
  Ramp restored;
  SavedReader in(bytes, after);
  ASSERT_TRUE(restored.restore(&in));
  EXPECT_TRUE(restored.may_send(after.now).yes);  // 5 of 6
  restored.charge(after.now);
  EXPECT_EQ(restored.may_send(after.now).not_before, after.now + 20s);
  EXPECT_EQ(restored.ends(), after.now + 500s);
  restored.assume_used(after.now + 30s);  // a crash: the whole minute counts as used
  EXPECT_FALSE(restored.may_send(after.now + 79s).yes);
  EXPECT_TRUE(restored.may_send(after.now + 80s).yes);
}

}  // namespace
}  // namespace mx
