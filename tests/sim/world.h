// The simulated world: one virtual clock and a queue of things to come. Everything is decided by the seed, so
// that a failing run is repeated by its number.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "conf/vocab/random.h"
#include "conf/vocab/time.h"

namespace sim {

class World final : public conf::Clock {
 public:
  explicit World(uint64_t seed) : random(seed) {}

  conf::Instant now() const override { return now_; }
  conf::WallTime wall() const override { return kStart + wrong_ + (now_ - conf::Instant{}); }
  // Somebody sets the wall clock; time goes on as ever.
  void step_wall(conf::Duration by) { wrong_ += by; }
  std::string boot = "1";  // of the system; another one: it was started anew

  // Runs `work` after `delay`; works of the same moment run in the order they were asked for.
  void after(conf::Duration delay, std::function<void()> work) {
    if (delay < conf::Duration(0)) ++in_the_past;
    events_.emplace(std::make_pair(now_ + delay, next_++), std::move(work));
  }
  // The next thing happens. False: nothing is to come before `limit` (time is then `limit`).
  bool step(conf::Instant limit) {
    if (events_.empty() || events_.begin()->first.first > limit) {
      now_ = std::max(now_, limit);
      return false;
    }
    auto first = events_.extract(events_.begin());
    now_ = std::max(now_, first.key().first);
    first.mapped()();
    return true;
  }
  // The process stands still: what comes meanwhile is seen when it is late.
  void stall(conf::Duration by) {
    stalls.emplace_back(now_, now_ + by);
    now_ += by;
  }
  conf::Instant next_event() const { return events_.empty() ? conf::kNever : events_.begin()->first.first; }
  conf::Duration between(conf::Duration least, conf::Duration most) {
    return least + conf::Duration(
                       static_cast<int64_t>(random.below(static_cast<uint64_t>((most - least).count()) + 1)));
  }

  conf::Random random;
  uint64_t in_the_past = 0;  // works that were asked for when their time was over
  std::vector<std::pair<conf::Instant, conf::Instant>> stalls;  // from, to

 private:
  static constexpr conf::WallTime kStart = conf::WallTime(conf::Duration(1'790'000'000'000'000));
  conf::Duration wrong_{};  // the wall clock
  conf::Instant now_{conf::Duration(1'000'000)};
  uint64_t next_ = 0;
  std::map<std::pair<conf::Instant, uint64_t>, std::function<void()>> events_;
};

}  // namespace sim
