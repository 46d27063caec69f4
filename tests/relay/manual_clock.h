// A clock that the test moves.
#pragma once

#include <chrono>

#include "conf/vocab/time.h"

namespace relay {

class ManualClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return time; }
  conf::WallTime wall() const override {
    return conf::WallTime(std::chrono::seconds(1'790'000'000)) + time.time_since_epoch();
  }
  conf::Instant time{std::chrono::hours(1)};
};

}  // namespace relay
