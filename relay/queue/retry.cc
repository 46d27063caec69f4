#include "relay/queue/retry.h"

#include <algorithm>
#include <chrono>

namespace relay::queue {

namespace {

conf::Duration spread(conf::Duration base, double share, conf::Random* random) {
  const auto most = static_cast<uint64_t>(static_cast<double>(base.count()) * share);
  return base + conf::Duration(static_cast<int64_t>(random->below(most + 1)));
}

// The schedule comes as soon as the first try would.
bool usual_is_sooner(const conf::RetrySchedule& schedule, conf::Duration first, uint32_t attempt) {
  return attempt <= schedule.delays.size() && schedule.delays[attempt - 1] <= first;
}

}  // namespace

std::optional<conf::Duration> next_delay(const conf::RetrySchedule& schedule, uint32_t attempt,
                                         conf::Reason reason, conf::WallTime accepted_at, conf::WallTime now,
                                         conf::Random* random) {
  if (attempt == 0) return std::nullopt;
  const conf::WallTime end = accepted_at + schedule.validity;
  if (const conf::RetrySchedule::OfReason* own = schedule.of(reason)) {
    const size_t step = std::min<size_t>(attempt, own->delays.size()) - 1;
    const conf::Duration delay = spread(own->delays[step], schedule.jitter, random);
    if (now + delay <= end) return delay;
  }
  if (attempt > schedule.delays.size()) return std::nullopt;
  const conf::Duration delay = spread(schedule.delays[attempt - 1], schedule.jitter, random);
  if (now + delay > end) return std::nullopt;
  return delay;
}

std::optional<conf::Duration> first_delay(const conf::RetrySchedule& schedule, conf::PassingTrouble trouble,
                                          uint32_t done, uint32_t attempt, conf::WallTime accepted_at,
                                          conf::WallTime now, conf::Random* random) {
  const conf::RetrySchedule::Delays& tries = schedule.first_tries[static_cast<size_t>(trouble)];
  if (done >= tries.size() || attempt == 0) return std::nullopt;
  if (usual_is_sooner(schedule, tries[done], attempt)) return std::nullopt;
  const conf::Duration delay = spread(tries[done], schedule.jitter, random);
  if (now + delay > accepted_at + schedule.validity) return std::nullopt;
  return delay;
}

bool first_tries_last(const conf::RetrySchedule& schedule, conf::PassingTrouble trouble, uint32_t done,
                      uint32_t attempt) {
  constexpr size_t kWithoutAny = 4;
  const conf::RetrySchedule::Delays& tries = schedule.first_tries[static_cast<size_t>(trouble)];
  const size_t most = tries.empty() ? kWithoutAny : tries.size();
  if (done >= most || attempt == 0) return false;
  return attempt <= most || (!tries.empty() && !usual_is_sooner(schedule, tries[done], attempt));
}

std::optional<conf::Duration> short_delay(const conf::RetrySchedule& schedule, conf::WallTime accepted_at,
                                          conf::WallTime now, conf::Random* random) {
  using std::chrono::minutes;
  // A schedule that begins sooner is not slowed down.
  const conf::Duration least = schedule.delays.empty()
                                   ? conf::Duration(minutes(1))
                                   : std::min<conf::Duration>(schedule.delays.front(), minutes(1));
  const conf::Duration base = std::clamp<conf::Duration>((now - accepted_at) / 10, least, minutes(15));
  const conf::Duration delay = spread(base, 0.1, random);
  if (now + delay > accepted_at + schedule.validity) return std::nullopt;
  return delay;
}

}  // namespace relay::queue
