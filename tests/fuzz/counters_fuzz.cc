// What the counters of MX rules left on disk: any bytes are read or refused, and what was read can go on, be
// written and be read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mx/limits/standing.h"
#include "mx/limits/traffic.h"

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

mx::PathLimits limits() {
  mx::PathLimits limits;
  limits.messages_per_hour = 600;
  limits.rate = {100, 60s, 20};
  limits.thresholds.resize(2);
  limits.adaptive = conf::AdaptiveMode::kOn;
  limits.adaptive_min_per_hour = 10;
  limits.adaptive_max_per_hour = 1000;
  limits.warmup = {50, 100, 500};
  return limits;
}

template <typename Counters, typename Use>
void restore_and_use(std::string_view saved, const Use& use) {
  const conf::Instant now{1h};
  const conf::WallTime wall{1'790'000'000s};
  Counters counters(limits());
  if (!counters.restore(saved, {now, wall})) return;
  use(&counters, now);
  Counters again(limits());
  if (!again.restore(counters.save({now, wall}), {now, wall})) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view saved(reinterpret_cast<const char*>(data), size);
  restore_and_use<mx::Traffic>(saved, [](mx::Traffic* traffic, conf::Instant now) {
    if (traffic->may_send(now).yes) traffic->charge(now);
    traffic->throttled(now);
  });
  restore_and_use<mx::Standing>(saved, [](mx::Standing* standing, conf::Instant now) {
    if (!standing->may_send(now).yes) return;
    const mx::Standing::Attempt attempt = standing->began(now);
    standing->outcome(attempt, {}, now);
    standing->ended(attempt, true, now);
  });
  return 0;
}
