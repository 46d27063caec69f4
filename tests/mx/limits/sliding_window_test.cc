#include "mx/limits/sliding_window.h"

#include <gtest/gtest.h>

#include <deque>

#include "conf/vocab/random.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'123)};

TEST(SlidingWindow, TheGuardIsASecondOrASixtieth) {
  EXPECT_EQ(SlidingWindow::reach(24h), 24h + 1s);
  EXPECT_EQ(SlidingWindow::reach(1h), 1h + 1s);
  EXPECT_EQ(SlidingWindow::reach(1min), 61s);
  EXPECT_EQ(SlidingWindow::reach(6s), 6100ms);
}

// Counts beyond 16 bits, in a run and by the merging of runs; and a copy is a copy.
TEST(SlidingWindow, LargeCountsAreWhole) {
  SlidingWindow window(1h);
  constexpr uint32_t kLimit = 5'000'000;  // runs of 100,000
  for (uint32_t i = 0; i < 300'000; ++i) window.add(kStart + Duration(i), kLimit);
  EXPECT_EQ(window.count(kStart + 1min), 300'000u);
  SlidingWindow copy = window;
  for (int i = 0; i < 100; ++i) window.add(kStart + 1min, kLimit, true);
  EXPECT_EQ(window.count(kStart + 1min), 300'100u);
  EXPECT_EQ(copy.count(kStart + 1min), 300'000u);
  EXPECT_EQ(window.count(kStart + 1h + 2min), 0u);
  window = copy;
  EXPECT_EQ(window.free_at(300'000, kStart + 1min), kStart + 1h + 1s + 101ms - 123us)
      << "the first run ends with its hundred thousandth message, rounded up to a millisecond";
}

// One message now and then never fills a run: what is old must leave all the same, for years.
TEST(SlidingWindow, ASlowTrickleIsForgotten) {
  for (const Duration length : std::vector<Duration>{1min, 1h, 24h, 24h * 7}) {
    conf::Random random(3);
    SlidingWindow window(length);
    std::deque<Instant> sent;
    Instant now = kStart;
    while (now < kStart + 24h * 365) {
      now += Duration(random.below(static_cast<uint64_t>(window.reach().count()))) + length / 3;
      while (!sent.empty() && sent.front() + window.reach() + length < now) sent.pop_front();
      window.add(now, 4'000'000'000);
      sent.push_back(now);
      if (random.chance(0.9)) continue;
      size_t due = 0;
      for (const Instant at : sent) due += now - at < window.reach() ? 1 : 0;
      ASSERT_GE(window.count(now), due) << "never too low";
      ASSERT_LE(window.count(now), due + 8) << "and late by a run of a window at most";
    }
  }
}

}  // namespace
}  // namespace mx
