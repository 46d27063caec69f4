// When mail that was refused for now is tried again: the schedule of a destination, and what stands beside it
// for refusals of which more is known.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/vocab/reason.h"
#include "conf/vocab/time.h"

namespace conf {

// Trouble that passes in minutes.
enum class PassingTrouble : uint8_t {
  kGreylisting,  // a second visit is asked of everybody
  kHost,         // the host or its storage has trouble of its own
};
constexpr size_t kPassingTroubles = 2;
const char* to_text(PassingTrouble trouble);  // "greylisting", "host": keys of [defaults.first_tries]

struct RetrySchedule {
  using Delays = std::vector<Duration>;
  struct OfReason {
    Reason reason = Reason::kNotDefined;
    Delays delays;
    bool shipped = false;  // gives way to a schedule that somebody wrote
  };

  Delays delays = {1h, 1h, 1h, 1h, 1h, 24h, 24h, 24h, 24h};  // schedule = ["5 x 1h", "4 x 1d"]
  // schedule_by_reason: in place of `delays`; the last one is repeated until the validity is over.
  std::vector<OfReason> by_reason = {{Reason::kMailboxFull, {24h}, true}};
  // first_tries, by PassingTrouble: before the schedule begins, without a step of it, and only where they
  // come sooner than the schedule.
  std::array<Delays, kPassingTroubles> first_tries = {
      Delays{Duration(5min), Duration(10min), Duration(20min), Duration(40min)},
      Delays{Duration(5min), Duration(10min), Duration(20min)}};
  Duration validity = 120h;  // validity: then expired
  double jitter = 0.05;      // jitter: up to this share is added, never taken off

  // Somebody wrote a schedule: it holds for every reason but those that somebody wrote too.
  void write(Delays written);
  const OfReason* of(Reason reason) const;  // null: `delays` hold
};

}  // namespace conf
