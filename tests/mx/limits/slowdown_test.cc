#include "mx/limits/slowdown.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'123)};

int64_t seconds(Duration length) { return length / 1s; }

TEST(Slowdown, OneRequestPausesForFourSeconds) {
  Slowdown slowdown;
  EXPECT_LE(slowdown.until(), kStart);
  slowdown.throttled(kStart);
  EXPECT_EQ(slowdown.until(), kStart + 4s);
}

// The numbers of the header.
TEST(Slowdown, AsksThatComeAgainMakeItLonger) {
  Slowdown slowdown;
  Instant now = kStart;
  std::vector<int64_t> pauses;
  for (int i = 0; i < 8; ++i) {
    slowdown.throttled(now);
    pauses.push_back(seconds(slowdown.until() - now));
    now = slowdown.until();
  }
  EXPECT_EQ(pauses, (std::vector<int64_t>{4, 7, 15, 28, 48, 69, 82, 86}));
}

TEST(Slowdown, WhatWasInFlightAddsLittle) {
  Slowdown slowdown;
  slowdown.throttled(kStart);
  for (int i = 1; i < 10; ++i) slowdown.throttled(kStart + i * 10ms);
  EXPECT_LT(slowdown.until() - kStart, 8s) << "ten replies to what was in flight count as nearly two";
  EXPECT_GT(slowdown.until() - kStart, 7s);
  slowdown.throttled(kStart + 1s);
  EXPECT_GT(slowdown.until() - kStart, 14s);
}

TEST(Slowdown, IsNeverLongerThanTenMinutes) {
  Slowdown slowdown;
  Instant now = kStart;
  for (int i = 0; i < 1000; ++i, now += 1s) {
    slowdown.throttled(now);
    ASSERT_LE(slowdown.until(), now + 10min);
  }
  EXPECT_EQ(slowdown.until() - (now - 1s), 10min) << "and that is reached";
}

TEST(Slowdown, TimeHeals) {
  Slowdown slowdown;
  for (int i = 0; i < 100; ++i) slowdown.throttled(kStart + i * 1s);
  const double hot = slowdown.heat(kStart + 99s);
  EXPECT_NEAR(slowdown.heat(kStart + 99s + 5min), hot / 2, 1e-6);
  EXPECT_FALSE(slowdown.as_new(kStart + 30min));
  EXPECT_TRUE(slowdown.as_new(kStart + 2h));
  slowdown.throttled(kStart + 2h);
  EXPECT_LT(slowdown.until() - (kStart + 2h), 4100ms);
  slowdown.reset();
  EXPECT_LE(slowdown.until(), kStart);
}

TEST(Slowdown, SurvivesARestart) {
  Slowdown slowdown;
  for (int i = 0; i < 5; ++i) slowdown.throttled(kStart + i * 2s);
  const Instant now = kStart + 10s;
  const Moment before{now, conf::from_unix_micros(1'700'000'000'000'000)};
  std::string saved;
  SavedWriter writer(&saved, before);
  slowdown.save(&writer, now);
  const Moment after{Instant(7s), before.wall + 3s};
  Slowdown restored;
  SavedReader reader(saved, after);
  restored.restore(&reader);
  EXPECT_TRUE(reader.ok() && reader.ended());
  EXPECT_EQ(restored.until() - after.now, slowdown.until() - (now + 3s));
  EXPECT_NEAR(restored.heat(after.now), slowdown.heat(now + 3s), 1e-4);
  const Moment set_back{Instant(7s), before.wall - 24h};
  SavedReader again(saved, set_back);
  restored.restore(&again);
  EXPECT_LE(restored.until(), set_back.now + 10min) << "a wall clock that was set back";
}

}  // namespace
}  // namespace mx
