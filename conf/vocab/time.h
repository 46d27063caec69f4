// Time as types. Instant: monotonic, for deadlines and limits. WallTime: what a calendar says, for people,
// logs and what must survive a restart. They do not convert into each other without a Clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace conf {

using Duration = std::chrono::microseconds;
using namespace std::chrono_literals;  // NOLINT(build/namespaces): 5s, 1h, 20ms everywhere

struct MonotonicTag {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
};
struct CalendarTag {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
};
using Instant = std::chrono::time_point<MonotonicTag, Duration>;
using WallTime = std::chrono::time_point<CalendarTag, Duration>;  // since 1970-01-01 UTC

inline constexpr Instant kNever = Instant::max();

// Where time comes from. The daemon has one that reads the system's; the simulation owns a virtual one.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

// Reads CLOCK_MONOTONIC and CLOCK_REALTIME. Thread-safe.
class SystemClock final : public Clock {
 public:
  Instant now() const override {
    return Instant(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
  }
  WallTime wall() const override {
    return WallTime(
        std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
  }
};

inline int64_t unix_micros(WallTime t) { return t.time_since_epoch().count(); }
inline WallTime from_unix_micros(int64_t micros) { return WallTime(Duration(micros)); }

}  // namespace conf
