#include "relay/journal/metrics.h"

namespace relay::journal {

using conf::EventKind;

void Metrics::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  if (event.stage == conf::Stage::kRestored) {  // it happened before this start
    through_.store(sequence, std::memory_order_relaxed);
    return;
  }
  if (event.kind == EventKind::kDeferred && event.limit != conf::Bind::kNothing) {
    add(&held_back_);
  } else {
    // An accepted message counts once for each of its recipients, like every other end of them.
    const bool accepted = event.kind == EventKind::kAccepted;
    add(&kinds_[static_cast<size_t>(event.kind)], accepted ? event.recipients : 1);
  }
  if (event.kind == EventKind::kDecision && event.decision != nullptr)
    add(&decisions_[static_cast<size_t>(event.decision->action)]);
  through_.store(sequence, std::memory_order_relaxed);
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
  counts.held_back = held_back_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < counts.decisions.size(); ++i)
    counts.decisions[i] = decisions_[i].load(std::memory_order_relaxed);
  return counts;
}

}  // namespace relay::journal
