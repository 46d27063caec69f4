#include "relay/desk/flow_rates.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "relay/journal/events.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kSlotLength = 10s;
constexpr int kForgottenAtOnce = 2;  // paths for each event: more than can be added

int64_t slot_of(conf::Instant now) { return now.time_since_epoch() / kSlotLength; }

}  // namespace

void FlowRates::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  through_.store(sequence, std::memory_order_relaxed);
  // What waits for a path that fails is deferred without a try.
  const bool untried = event.kind == conf::EventKind::kDeferred && event.limit != conf::Bind::kNothing;
  if (event.site.empty() || event.source.empty() || untried || journal::is_held_back(event)) return;
  uint32_t Counts::*what = nullptr;
  switch (event.kind) {
    case conf::EventKind::kDelivered:
      what = &Counts::delivered;
      break;
    case conf::EventKind::kDeferred:
    case conf::EventKind::kExpired:
      what = &Counts::deferred;
      break;
    case conf::EventKind::kFailed:
      what = &Counts::refused;
      break;
    default:
      return;
  }
  ++(counts_of(event, slot_of(clock_->now()))->*what);
}

FlowRates::Counts* FlowRates::counts_of(const conf::DeliveryEvent& event, int64_t slot) {
  const auto found = paths_.find(Names{event.site, event.source, event.mx_rule});
  if (found != paths_.end()) {
    flows_.splice(flows_.end(), flows_, found->second);
  } else {
    flows_.push_back({event.site, event.source, event.mx_rule, slot, {}});
    paths_.emplace(flows_.back().names(), std::prev(flows_.end()));
  }
  Flow& flow = flows_.back();
  for (; flow.slot < slot && slot - flow.slot < kSlots; ++flow.slot)
    flow.slots[static_cast<size_t>((flow.slot + 1) % kSlots)] = {};
  if (flow.slot < slot) flow.slots = {};
  flow.slot = slot;
  for (int i = 0; i < kForgottenAtOnce && slot - flows_.front().slot >= kSlots; ++i) {
    paths_.erase(flows_.front().names());
    flows_.pop_front();
  }
  return &flow.slots[static_cast<size_t>(slot % kSlots)];
}

admin::FlowView FlowRates::last_minute(const Names& names, conf::Instant now) const {
  const auto found = paths_.find(names);
  if (found == paths_.end()) return {};
  const Flow& flow = *found->second;
  const int64_t slot = slot_of(now);
  const double present =
      static_cast<double>((now.time_since_epoch() % kSlotLength).count()) / kSlotLength.count();
  double delivered = 0, deferred = 0, refused = 0;
  for (int64_t each = std::max<int64_t>(slot - kSlots + 1, 0); each <= flow.slot; ++each) {
    if (each <= flow.slot - kSlots) continue;  // its place was taken by a later one
    const Counts& counts = flow.slots[static_cast<size_t>(each % kSlots)];
    const double part = each == slot - kSlots + 1 ? 1 - present : 1;
    delivered += counts.delivered * part;
    deferred += counts.deferred * part;
    refused += counts.refused * part;
  }
  const auto whole = [](double count) { return static_cast<uint64_t>(std::llround(count)); };
  return {whole(delivered), whole(deferred), whole(refused)};
}

}  // namespace relay
