#include "relay/journal/metrics.h"

#include <algorithm>

#include "relay/journal/events.h"

namespace relay::journal {

using conf::EventKind;

void Metrics::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  if (event.stage == conf::Stage::kRestored) {  // it happened before this start
    through_.store(sequence, std::memory_order_relaxed);
    return;
  }
  if (is_held_back(event)) {
    add(&held_back_);
  } else {
    // An accepted message counts once for each of its recipients, like every other end of them.
    const bool accepted = event.kind == EventKind::kAccepted;
    add(&kinds_[static_cast<size_t>(event.kind)], accepted ? event.recipients : 1);
  }
  const bool refusal = event.kind == EventKind::kDeferred || event.kind == EventKind::kFailed ||
                       event.kind == EventKind::kExpired;
  if (refusal && event.row != 0 && event.reason == conf::Reason::kNotDefined) note_unknown(event.site);
  if (event.kind == EventKind::kUnmatched && event.forged) add(&forged_);
  if (event.kind == EventKind::kDecision && event.decision != nullptr)
    add(&decisions_[static_cast<size_t>(event.decision->action)]);
  through_.store(sequence, std::memory_order_relaxed);
}

void Metrics::note_unknown(const std::string& site) {
  add(&unknown_);
  const std::lock_guard lock(mutex_);
  if (const auto found = unknown_sites_.find(site); found != unknown_sites_.end()) {
    ++found->second;
  } else if (unknown_sites_.size() < kMostSites) {
    unknown_sites_.emplace(site, 1);
  }
}

EventCounts Metrics::counts() const {
  const auto of = [this](EventKind kind) {
    return kinds_[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
  };
  EventCounts counts;
  counts.accepted = of(EventKind::kAccepted);
  counts.delivered = of(EventKind::kDelivered);
  counts.deferred = of(EventKind::kDeferred);
  counts.failed = of(EventKind::kFailed);
  counts.expired = of(EventKind::kExpired);
  counts.dropped = of(EventKind::kDropped);
  counts.suppressed = of(EventKind::kSuppressed);
  counts.quarantined = of(EventKind::kAddress);
  counts.waves = of(EventKind::kWave);
  counts.reports = of(EventKind::kReportSent);
  counts.unsigned_mails = of(EventKind::kUnsigned);
  counts.alarms = of(EventKind::kAlarm);
  counts.unmatched = of(EventKind::kUnmatched);
  counts.forged = forged_.load(std::memory_order_relaxed);
  counts.held_back = held_back_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < counts.decisions.size(); ++i)
    counts.decisions[i] = decisions_[i].load(std::memory_order_relaxed);
  counts.unknown = unknown_.load(std::memory_order_relaxed);
  if (counts.unknown == 0) return counts;
  {
    const std::lock_guard lock(mutex_);
    counts.unknown_sites.assign(unknown_sites_.begin(), unknown_sites_.end());
  }
  constexpr size_t kShown = 20;
  std::stable_sort(counts.unknown_sites.begin(), counts.unknown_sites.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  counts.unknown_sites.resize(std::min(counts.unknown_sites.size(), kShown));
  return counts;
}

}  // namespace relay::journal
