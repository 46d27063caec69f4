#include "relay/intake/user_hours.h"

#include <algorithm>

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kSlice = 5min;

int64_t slice_of(conf::Instant now) { return now.time_since_epoch() / kSlice; }

}  // namespace

uint32_t UserHours::count(const std::string& user, conf::Instant now) const {
  const auto found = hours_.find(user);
  if (found == hours_.end()) return 0;
  const Hour& hour = found->second;
  uint32_t sum = 0;
  const int64_t oldest = slice_of(now) - static_cast<int64_t>(kSlices) + 1;
  for (int64_t slice = std::max<int64_t>(oldest, hour.slice - static_cast<int64_t>(kSlices) + 1);
       slice <= hour.slice; ++slice)
    sum += hour.counts[static_cast<size_t>(slice) % kSlices];
  return sum;
}

UserHours::Hour& UserHours::hour_of(const std::string& user, conf::Instant now) {
  Hour& hour = hours_[user];
  const int64_t slice = slice_of(now);
  if (slice - hour.slice >= static_cast<int64_t>(kSlices)) {
    hour.counts.fill(0);
    hour.slice = slice;
  }
  while (hour.slice < slice) hour.counts[static_cast<size_t>(++hour.slice) % kSlices] = 0;
  return hour;
}

void UserHours::add(const std::string& user, conf::Instant now) {
  Hour& hour = hour_of(user, now);
  ++hour.counts[static_cast<size_t>(hour.slice) % kSlices];
}

void UserHours::take_back(const std::string& user, conf::Instant now) {
  Hour& hour = hour_of(user, now);
  uint32_t& latest = hour.counts[static_cast<size_t>(hour.slice) % kSlices];
  latest -= std::min(latest, 1U);
}

}  // namespace relay
