// The time of ages and due times, whatever somebody does to the wall clock.
#include "relay/spool/relay_clock.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace relay::spool {
namespace {

using namespace std::chrono_literals;

class HandClock final : public conf::Clock {
 public:
  conf::Instant monotonic{1h};
  conf::WallTime calendar = conf::from_unix_micros(1'790'000'000'000'000);
  conf::Instant now() const override { return monotonic; }
  conf::WallTime wall() const override { return calendar; }
  void pass(conf::Duration time) {
    monotonic += time;
    calendar += time;
  }
};

TEST(RelayClock, BeginsAsTheWallClockAndIgnoresItsSteps) {
  HandClock system;
  const RelayClock clock(&system, "boot");
  const conf::WallTime begin = clock.wall();
  EXPECT_EQ(begin, system.wall());
  system.pass(5s);
  system.calendar += 24h * 10;
  EXPECT_EQ(clock.wall() - begin, 5s);
  EXPECT_EQ(clock.calendar(begin), system.calendar - 5s);
  system.calendar -= 24h * 50;
  EXPECT_EQ(clock.wall() - begin, 5s);
  EXPECT_EQ(clock.calendar(conf::WallTime::max()), conf::WallTime::max());
}

TEST(RelayClock, ARestartCountsWhatPassedWhateverTheWallClockDid) {
  for (const conf::Duration step : {conf::Duration(0), conf::Duration(24h * 10), conf::Duration(-24h * 10)}) {
    HandClock system;
    const RelayClock before(&system, "boot");
    const conf::WallTime then = before.wall();
    const std::string anchor = before.anchor();
    system.pass(30min);
    system.calendar += step;
    RelayClock after(&system, "boot");
    ASSERT_TRUE(after.go_on(anchor));
    EXPECT_EQ(after.wall() - then, 30min);
  }
}

TEST(RelayClock, AClockThatWasDaysAheadAtTheFirstStartDoesNotHoldMailBackLater) {
  HandClock system;
  system.calendar += 24h * 10;
  const RelayClock ahead(&system, "boot");
  const conf::WallTime due = ahead.wall() + 3s;
  const std::string anchor = ahead.anchor();
  system.calendar -= 24h * 10;
  system.pass(1s);
  RelayClock right(&system, "boot");
  ASSERT_TRUE(right.go_on(anchor));
  EXPECT_EQ(due - right.wall(), 2s);
  EXPECT_EQ(right.calendar(due), system.calendar + 2s);
}

TEST(RelayClock, AfterANewStartOfTheSystemTheWallClockCountsWithinADay) {
  HandClock system;
  const RelayClock before(&system, "boot");
  const conf::WallTime then = before.wall();
  const std::string anchor = before.anchor();
  const auto after = [&](conf::Duration off, const char* boot) {
    HandClock later;
    later.monotonic = conf::Instant(3s);
    later.calendar = system.calendar + off;
    RelayClock clock(&later, boot);
    EXPECT_TRUE(clock.go_on(anchor));
    return clock.wall() - then;
  };
  EXPECT_EQ(after(2h, "another"), 2h);
  EXPECT_EQ(after(24h * 10, "another"), 24h);
  EXPECT_EQ(after(-24h * 10, "another"), 0s);
  EXPECT_EQ(after(2h, "boot"), 2h);  // the monotonic clock went back: it is another start all the same
  EXPECT_EQ(after(2h, ""), 2h);
}

TEST(RelayClock, AnAnchorThatCannotBeReadChangesNothing) {
  HandClock system;
  RelayClock clock(&system, "boot");
  const conf::WallTime then = clock.wall();
  for (const char* bad : {"", "1", "2 1 2 3 boot", "1 x 2 3 boot", "1 9223372036854775807 0 0 boot", "1 1 2"})
    EXPECT_FALSE(clock.go_on(bad)) << bad;
  EXPECT_EQ(clock.wall(), then);
}

// The shipped unit hides /proc/sys from the relay: the service manager says which boot it is.
TEST(RelayClock, TheBootHasTheNameThatTheServiceManagerGives) {
  const std::string kernels = system_boot();
  EXPECT_EQ(kernels.find('-'), std::string::npos) << kernels;
  ASSERT_EQ(::setenv("PENSTOCK_BOOT_ID", "0123456789abcdef0123456789abcdef", 1), 0);
  EXPECT_EQ(system_boot(), "0123456789abcdef0123456789abcdef");
  ::setenv("PENSTOCK_BOOT_ID", "", 1);
  EXPECT_EQ(system_boot(), kernels);
  ::unsetenv("PENSTOCK_BOOT_ID");
}

TEST(RelayClock, AnAnchorOfAnOlderVersionHasHyphensInTheNameOfTheBoot) {
  HandClock system;
  const conf::WallTime then = RelayClock(&system, "0123abcd").wall();
  const std::string anchor = RelayClock(&system, "0123-abcd").anchor();
  system.pass(2h);
  system.calendar += 24h * 10;
  RelayClock next(&system, "0123abcd");
  ASSERT_TRUE(next.go_on(anchor));
  EXPECT_EQ(next.wall() - then, 2h);
}

}  // namespace
}  // namespace relay::spool
