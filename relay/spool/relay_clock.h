// The time that ages and due times are counted in: it goes on with what really passed, and never jumps. It
// begins as the wall clock of the first start of a spool; from then on a wall clock that is moved, by any
// amount and in either direction, while the relay runs or between two runs, does not change it. So no mail
// expires and none is put off because somebody set a clock. Everything in the spool is in this time;
// calendar() says what people call a moment of it.
//
// Over a restart it goes on from its anchor, a kept value: by the monotonic clock as long as the system has
// not been started anew, otherwise by the wall clock, of which at most kMostOff counts.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/vocab/time.h"

namespace relay::spool {

class RelayClock final : public conf::Clock {
 public:
  static constexpr std::string_view kKey = "clock";  // where the anchor is kept
  // A system that was off for longer, or whose clock is wrong after it was started: no more than this counts.
  static constexpr conf::Duration kMostOff = std::chrono::hours(24);

  // `boot` names the run of the system in which `system`'s now() counts on; empty: unknown, each start is
  // another one. `system` outlives this. Begins at the wall clock.
  RelayClock(const conf::Clock* system, std::string boot);

  conf::Instant now() const override { return system_->now(); }
  // The time described above. Any thread.
  conf::WallTime wall() const override {
    return conf::WallTime(conf::Duration(offset_.load(std::memory_order_relaxed)) + now().time_since_epoch());
  }
  // What the calendar says now, for people and for protocols. Any thread.
  conf::WallTime today() const { return system_->wall(); }
  // What the calendar says, as far as the wall clock is right now, of a moment in this time. Any thread.
  conf::WallTime calendar(conf::WallTime moment) const;

  // For the next run: where this clock and the others stand.
  std::string anchor() const;
  // At the start: goes on from the anchor of the last run. False: it cannot be read, and nothing changes.
  bool go_on(std::string_view anchor);

 private:
  const conf::Clock* system_;
  const std::string boot_;
  std::atomic<int64_t> offset_;  // of this time from now(), in microseconds
};

// The name of the present run of the system: PENSTOCK_BOOT_ID, else as the kernel says; empty: not known.
std::string system_boot();

}  // namespace relay::spool
