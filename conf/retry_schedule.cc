#include "conf/retry_schedule.h"

#include <utility>

namespace conf {

const char* to_text(PassingTrouble trouble) {
  return trouble == PassingTrouble::kGreylisting ? "greylisting" : "host";
}

void RetrySchedule::write(Delays written) {
  delays = std::move(written);
  std::erase_if(by_reason, [](const OfReason& each) { return each.shipped; });
}

const RetrySchedule::OfReason* RetrySchedule::of(Reason reason) const {
  for (const OfReason& each : by_reason) {
    if (each.reason == reason) return each.delays.empty() ? nullptr : &each;
  }
  return nullptr;
}

}  // namespace conf
