#include "relay/flow/forecast.h"

#include <algorithm>
#include <string_view>

#include "relay/flow/hosts.h"
#include "relay/flow/shared_line.h"
#include "relay/flow/source_pool.h"

namespace relay {

namespace {

using mx::Admission;
using mx::Bind;

// Whichever is free first; of two that nobody knows the time of, the first.
const Admission& sooner(const Admission& a, const Admission& b) {
  if (a.yes || b.yes) return a.yes ? a : b;
  return b.not_before < a.not_before ? b : a;
}

bool is_timed(const Admission& admission) { return !admission.yes && admission.not_before != conf::kNever; }

// A connection of another path of the line that has nothing to do closes for one that has mail and none.
bool makes_room(const queue::Path& path, conf::Instant now) {
  return path.shared.line != nullptr && path.connections.size() == 0 &&
         path.shared.line->least_needed(now) != nullptr;
}

bool is_full(const Admission& opening) {
  return !opening.yes && (opening.bind == Bind::kConnections || opening.bind == Bind::kWindow);
}

}  // namespace

void know_counters(queue::SiteTable* sites, queue::Path* path) {
  if (PathGate::has_one_answer(*path)) {
    (void)sites->traffic(path, {});
    return;
  }
  for (const mx::RouteHost& host : path->route->hosts) {
    for (const std::string& address : host.addresses) {
      if (!queue::same_family(path->source.address, address)) continue;
      (void)sites->traffic(path, address);
      (void)sites->host_traffic(path, address);
    }
  }
}

Admission Forecast::over_address(const queue::Path& path, mx::Traffic* traffic, mx::Traffic* host,
                                 conf::Instant now) const {
  mx::Standing& standing = *path.counters.standing;
  Admission sending = standing.may_send(now), opening = standing.may_connect(now);
  for (mx::Traffic* each : {traffic, host}) {
    if (each == nullptr) continue;
    sending = sending.also(each->may_send(now));
    const Admission here = each->may_connect(now);
    if (!is_full(here) || gives_way == nullptr || !gives_way(each)) opening = opening.also(here);
  }
  if (is_timed(sending)) return sending;
  if (is_full(opening) && makes_room(path, now)) opening = {};
  return sending.also(opening);
}

Admission Forecast::over_resting(const queue::Path& path, conf::Instant now) const {
  Admission best = Admission::no(Bind::kNothing, conf::kNever);
  for (const Resting& each : resting) {
    const uint32_t most = path.limits->max_messages_per_connection;
    if (most != 0 && each.sent >= most) continue;  // it ends, and another one is opened
    Admission here = each.use->standing->may_send(now).also(each.use->traffic->may_send(now));
    if (each.use->host != nullptr) here = here.also(each.use->host->may_send(now));
    best = best.bind == Bind::kNothing && !best.yes ? here : sooner(best, here);
  }
  return best;
}

// What the counters wait for may last longer than the pause after a connection that failed.
Admission Forecast::over_new(const queue::Path& path, conf::Instant now) const {
  const Admission counted = as_counted(path, now);
  if (!path.health.backs_off(now)) return counted;
  const Admission back_off = Admission::no(Bind::kBackOff, path.health.backs_off_until());
  return is_timed(counted) ? back_off.also(counted) : back_off;
}

Admission Forecast::at(const queue::Path& path, const mx::RouteHost& host, const std::string& address,
                       conf::Instant now) const {
  if (!queue::SiteTable::counts_hosts(path))
    return over_address(path, queue::PathCounters::find(path.counters.traffic, address), nullptr, now);
  return over_address(path, path.counters.whole(),
                      queue::PathCounters::find(path.counters.hosts, host.counted_as()), now);
}

// As Hosts::to_try() has it: a host that is well, but may not be used now, hides those of a worse preference,
// and those that are not well until they are to be tried again.
Admission Forecast::as_counted(const queue::Path& path, conf::Instant now) const {
  if (PathGate::has_one_answer(path)) return over_address(path, path.counters.whole(), nullptr, now);
  const Admission none = Admission::no(Bind::kNothing, conf::kNever);
  Admission well = none, left = none;
  const auto add = [](Admission* to, const Admission& here) {
    *to = to->bind == Bind::kNothing && !to->yes ? here : sooner(*to, here);
  };
  uint32_t worst = UINT32_MAX;  // preference
  for (const mx::RouteHost& host : path.route->hosts) {
    if (host.preference > worst) break;
    for (const std::string& address : host.addresses) {
      if (!queue::same_family(path.source.address, address)) continue;
      const Admission here = at(path, host, address, now);
      const bool is_well = Hosts::is_well(path, address, now);
      if (is_well && !here.yes) worst = host.preference;
      add(is_well ? &well : &left, here);
    }
  }
  if (worst == UINT32_MAX && !well.yes) return left;
  if (well.yes || (!left.yes && left.bind == Bind::kNothing)) return well;
  const conf::Instant until = Hosts::left_until(path, now);
  return sooner(well, Admission::no(well.bind, left.yes ? until : std::max(until, left.not_before)));
}

Admission Forecast::next(const queue::Path& path, const mx::Lease& lease, conf::Instant now) const {
  if (const Admission held = path.next_held(now); !held.yes) return held;
  Admission fresh = over_new(path, now);
  if (fresh.yes && relay_full) fresh = Admission::no(Bind::kTotal, conf::kNever);
  const Admission rested = over_resting(path, now);
  const bool none = !rested.yes && rested.bind == Bind::kNothing;
  Admission best = none ? fresh : sooner(rested, fresh);
  if (moves != conf::kNever)
    best = sooner(best, moves <= now ? Admission{} : Admission::no(Bind::kConnections, moves));
  // The counters reach the disk in milliseconds, unless the disk fails.
  if (best.yes && lease.failing() && PathGate::counts_anything(*path.limits))
    return Admission::no(Bind::kLease, conf::kNever);
  return best;
}

}  // namespace relay
