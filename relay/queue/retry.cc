#include "relay/queue/retry.h"

#include <algorithm>
#include <chrono>

namespace relay::queue {

std::optional<conf::Duration> next_delay(const conf::RetrySchedule& schedule, uint32_t attempt,
                                         conf::WallTime accepted_at, conf::WallTime now,
                                         conf::Random* random) {
  if (attempt == 0 || attempt > schedule.delays.size()) return std::nullopt;
  const conf::Duration base = schedule.delays[attempt - 1];
  const auto most = static_cast<uint64_t>(static_cast<double>(base.count()) * schedule.jitter);
  const conf::Duration delay = base + conf::Duration(static_cast<int64_t>(random->below(most + 1)));
  if (now + delay > accepted_at + schedule.validity) return std::nullopt;
  return delay;
}

std::optional<conf::Duration> short_delay(const conf::RetrySchedule& schedule, conf::WallTime accepted_at,
                                          conf::WallTime now, conf::Random* random) {
  using std::chrono::minutes;
  const conf::Duration base = std::clamp<conf::Duration>((now - accepted_at) / 10, minutes(1), minutes(15));
  const conf::Duration delay =
      base +
      conf::Duration(static_cast<int64_t>(random->below(static_cast<uint64_t>(base.count() / 10 + 1))));
  if (now + delay > accepted_at + schedule.validity) return std::nullopt;
  return delay;
}

}  // namespace relay::queue
