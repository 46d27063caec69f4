#include "relay/intake/user_hours.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "conf/vocab/random.h"

namespace relay {
namespace {

using namespace std::chrono_literals;

// Whoever adds only while fewer than ten are counted has never more than ten in any hour, and after an hour
// and five minutes all of them again.
TEST(UserHours, NoHourHoldsMoreThanItsLimit) {
  UserHours hours;
  conf::Random random(3);
  conf::Instant now{conf::Duration(7s)};
  std::deque<conf::Instant> taken;
  uint32_t all = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += conf::Duration(static_cast<int64_t>(random.below(300'000'000)));
    while (!taken.empty() && taken.front() <= now - 65min) taken.pop_front();
    const bool free = hours.count("crm", now) < 10;
    if (taken.empty()) {
      EXPECT_TRUE(free);
    }
    if (!free) continue;
    hours.add("crm", now);
    taken.push_back(now);
    ++all;
    const auto in_hour = std::ranges::count_if(taken, [now](conf::Instant at) { return at > now - 1h; });
    ASSERT_LE(in_hour, 10);
  }
  EXPECT_GT(all, 5000U) << "it goes on";
}

TEST(UserHours, EachUserByItself) {
  UserHours hours;
  const conf::Instant now{conf::Duration(100h)};
  hours.add("a", now);
  hours.add("a", now);
  hours.take_back("a", now + 1s);
  EXPECT_EQ(hours.count("a", now + 1s), 1U);
  EXPECT_EQ(hours.count("b", now), 0U);
  hours.take_back("b", now);
  EXPECT_EQ(hours.count("b", now), 0U);
  EXPECT_EQ(hours.count("a", now + 59min), 1U);
  EXPECT_EQ(hours.count("a", now + 66min), 0U);
}

}  // namespace
}  // namespace relay
