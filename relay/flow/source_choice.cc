#include "relay/flow/source_choice.h"

#include <algorithm>

#include "mx/limits/admission.h"

namespace relay::queue {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kSoon = 1min;

SourceState held_by(const mx::Admission& admission, conf::Instant now) {
  SourceState state{Readiness::kFree, admission.bind, admission.not_before};
  switch (admission.bind) {
    case conf::Bind::kBlocked:
    case conf::Bind::kWarmUp:
      state.readiness = Readiness::kHeld;
      return state;
    case conf::Bind::kProbing:
    case conf::Bind::kRamp:
      state.readiness = Readiness::kLater;
      return state;
    default:
      if (admission.not_before > now + kSoon) state.readiness = Readiness::kLater;
      return state;
  }
}

// The address that is free first decides; one that was not used yet is free.
SourceState by_traffic(const Path& path, conf::Instant now) {
  size_t addresses = 1;
  if (path.limits->scope == conf::RuleScope::kPath && path.route != nullptr) {
    addresses = 0;
    for (const mx::RouteHost& host : path.route->hosts) addresses += host.addresses.size();
  }
  if (path.counters.traffic.size() < addresses) return {};
  SourceState best{Readiness::kHeld, conf::Bind::kNothing, conf::kNever};
  for (const auto& [address, traffic] : path.counters.traffic) {
    const mx::Admission admission = traffic->may_send(now);
    if (admission.yes) return {};
    const SourceState state = held_by(admission, now);
    if (state.readiness < best.readiness || state.until < best.until) best = state;
  }
  return best;
}

size_t waiting_on(const Path& path, size_t but) {
  return path.ready.size() - std::min(but, path.ready.size());
}

// By what is no matter of counters.
SourceState own_state(const Path& path, conf::Instant now, size_t waiting) {
  if (path.holds.ordered(now)) return {Readiness::kHeld, conf::Bind::kBlocked, path.frees_at()};
  if (path.health.failing()) {
    if (path.health.backs_off(now))
      return {Readiness::kHeld, conf::Bind::kBackOff, path.health.backs_off_until()};
    // One message at a time goes to see whether it works again.
    if (waiting > 0 || path.connections.size() > 0)
      return {Readiness::kHeld, conf::Bind::kBackOff, conf::kNever};
  }
  // A reply rule said so, of the source or of the path.
  const auto off = path.site->sources_off.find(path.source.name);
  if (off != path.site->sources_off.end() && off->second > now)
    return {Readiness::kHeld, conf::Bind::kSlowed, off->second};
  if (path.holds.paused(now + kSoon))
    return {Readiness::kLater, conf::Bind::kSlowed, path.holds.paused_until()};
  return {};
}

SourceState counted_state(const Path& path, conf::Instant now, size_t waiting) {
  const mx::Admission admission = path.counters.standing->may_send(now);
  if (!admission.yes) {
    const SourceState state = held_by(admission, now);
    if (state.readiness != Readiness::kFree) return state;
  }
  const mx::Room room = path.counters.standing->room(now);
  if (room.bind != conf::Bind::kNothing && room.messages <= waiting)
    return held_by(mx::Admission::no(room.bind, conf::kNever), now);
  return by_traffic(path, now);
}

}  // namespace

SourceState state_of(const Path* path, conf::Instant now, size_t but) {
  if (path == nullptr) return {};
  return state_beside(path, *path, now, but);
}

SourceState state_beside(const Path* path, const Path& here, conf::Instant now, size_t but) {
  if (path != nullptr) {
    const SourceState own = own_state(*path, now, waiting_on(*path, path == &here ? but : 0));
    if (own.readiness != Readiness::kFree) return own;
  }
  return counted_state(here, now, waiting_on(here, but));
}

}  // namespace relay::queue
