// What people are shown of all counters.
#include "mx/limits/limiter_table.h"

namespace mx {

bool LimiterTable::is_detached(const Counters<Standing>& counters) {
  return counters.object != nullptr && counters.object.use_count() == 1 &&
         counters.object->state() != Standing::State::kOpen;
}

void LimiterTable::count_detached(const Counters<Standing>& counters) {
  if (!is_detached(counters)) return;
  const Standing::State state = counters.object->state();
  ++(state == Standing::State::kBlocked   ? detached_so_far_.blocked
     : state == Standing::State::kProbing ? detached_so_far_.probing
                                          : detached_so_far_.ramp);
}

void LimiterTable::for_each_detached(const std::function<void(const std::string& key, Standing&)>& use) {
  for (const Entry& entry : entries_) {
    if (is_detached(entry.standing)) use('S' + entry.name, *entry.standing.object);
  }
}

void LimiterTable::for_each_traffic(const std::function<void(const std::string& key, Traffic&)>& use) {
  for (const Entry& entry : entries_) {
    if (entry.traffic.object != nullptr) use('T' + entry.name, *entry.traffic.object);
  }
}

void LimiterTable::for_each_standing(const std::function<void(const std::string& key, Standing&)>& use) {
  for (const Entry& entry : entries_) {
    if (entry.standing.object != nullptr) use('S' + entry.name, *entry.standing.object);
  }
}

}  // namespace mx
