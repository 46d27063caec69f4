#include "relay/queue/retry.h"

#include <gtest/gtest.h>

namespace relay::queue {
namespace {

using namespace std::chrono_literals;

conf::Duration soon(const conf::RetrySchedule& schedule, conf::Duration age) {
  conf::Random random(7);
  const conf::WallTime accepted{};
  return short_delay(schedule, accepted, accepted + age, &random).value_or(conf::Duration(0));
}

void expect_about(conf::Duration got, conf::Duration base) {
  EXPECT_GE(got, base);
  EXPECT_LE(got, base + base / 10) << "a tenth of jitter";
}

TEST(ShortDelay, IsAMinuteAndGrowsWithTheAge) {
  conf::RetrySchedule schedule;
  expect_about(soon(schedule, 0s), 1min);
  expect_about(soon(schedule, 60min), 6min);
  expect_about(soon(schedule, 24h), 15min);
}

TEST(ShortDelay, AScheduleThatBeginsSoonerIsNotSlowedDown) {
  conf::RetrySchedule schedule;
  schedule.delays = {3s, 1h};
  expect_about(soon(schedule, 0s), 3s);
  expect_about(soon(schedule, 100s), 10s);
  expect_about(soon(schedule, 24h), 15min);
}

TEST(ShortDelay, NothingComesAfterTheValidity) {
  conf::RetrySchedule schedule;
  schedule.validity = 1h;
  conf::Random random(7);
  EXPECT_FALSE(short_delay(schedule, {}, conf::WallTime{} + 59min, &random).has_value());
}

TEST(FirstTries, LastUntilTheyOrAsManySoonerOnesOfTheScheduleAreMade) {
  constexpr auto kTrouble = conf::PassingTrouble::kGreylisting;
  conf::RetrySchedule schedule;
  schedule.first_tries[0] = {5min, 10min};
  EXPECT_TRUE(first_tries_last(schedule, kTrouble, 1, 1));
  EXPECT_FALSE(first_tries_last(schedule, kTrouble, 2, 1));
  EXPECT_TRUE(first_tries_last(schedule, kTrouble, 0, 4)) << "behind steps for another reason";
  schedule.delays.assign(100, 1min);
  EXPECT_TRUE(first_tries_last(schedule, kTrouble, 0, 2));
  EXPECT_FALSE(first_tries_last(schedule, kTrouble, 0, 3)) << "the schedule never makes one";
  schedule.first_tries[0].clear();
  EXPECT_TRUE(first_tries_last(schedule, kTrouble, 0, 4));
  EXPECT_FALSE(first_tries_last(schedule, kTrouble, 0, 5));
}

}  // namespace
}  // namespace relay::queue
