#include "relay/desk/decision_history.h"

namespace relay {

void DecisionHistory::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  if (event.decision != nullptr) {
    all_.push_front({event.time, event.decision});
    if (all_.size() > kKept) all_.pop_back();
  }
  through_.store(sequence, std::memory_order_relaxed);
}

namespace {

bool is_about(const conf::SiteDecision& decision, const queue::Path& path) {
  const bool site = decision.site == path.site->label, source = decision.source == path.source.name;
  if (site && source) return true;
  if (path.rule == nullptr || decision.rule != path.rule->name) return false;
  return (site || path.limits->one_site) && (source || path.limits->scope == conf::RuleScope::kPool);
}

}  // namespace

std::vector<admin::DecisionView> DecisionHistory::of(const queue::Path& path, size_t limit) const {
  std::vector<admin::DecisionView> found;
  for (const admin::DecisionView& each : all_) {
    if (found.size() == limit) break;
    if (is_about(*each.decision, path)) found.push_back(each);
  }
  return found;
}

}  // namespace relay
