#include "relay/desk/decision_history.h"

namespace relay {

void DecisionHistory::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  if (event.decision != nullptr) {
    all_.push_front({event.time, event.decision});
    if (all_.size() > kKept) all_.pop_back();
  }
  through_.store(sequence, std::memory_order_relaxed);
}

std::vector<admin::DecisionView> DecisionHistory::of(const std::string& site, const std::string& source,
                                                     size_t limit) const {
  std::vector<admin::DecisionView> found;
  for (const admin::DecisionView& each : all_) {
    if (found.size() == limit) break;
    if (each.decision->site == site && each.decision->source == source) found.push_back(each);
  }
  return found;
}

}  // namespace relay
