// The lines of a PathGate: paths that wait for counters which several share.
#include <algorithm>
#include <utility>

#include "relay/flow/path_gate.h"

namespace relay {

namespace {

// What takes longer to open keeps no other path back: its host, or the way to it from its source, may be
// silent.
constexpr conf::Duration kBooked = std::chrono::seconds(1);

}  // namespace

void PathGate::book(Use* use) {
  for (const mx::Traffic* each : {use->traffic.get(), use->host.get()})
    if (each != nullptr && each->shared()) bookings_[each].push_back(use->begun);
  use->booked = true;
}

void PathGate::end_booking(Use* use) {
  if (!std::exchange(use->booked, false)) return;
  for (const mx::Traffic* each : {use->traffic.get(), use->host.get()}) {
    const auto found = bookings_.find(each);
    if (found == bookings_.end()) continue;
    Bookings& all = found->second;
    const auto own = std::ranges::find(all, use->begun);
    if (own == all.end()) continue;  // it was opened before others came to share these
    all.erase(own);
    while (lines_.contains(&all)) release(&all);
    if (all.empty()) bookings_.erase(found);
  }
}

uint32_t PathGate::coming(const Bookings& bookings, conf::Instant now) {
  return static_cast<uint32_t>(
      std::ranges::count_if(bookings, [now](conf::Instant since) { return since + kBooked > now; }));
}

mx::Traffic* PathGate::booked_up(queue::Path* path, std::string_view address, conf::Instant now) {
  if (bookings_.empty()) return nullptr;
  const std::shared_ptr<mx::Traffic> host = parts_.sites->host_traffic(path, address);
  for (mx::Traffic* each : {parts_.sites->traffic(path, address).get(), host.get()}) {
    const auto found = bookings_.find(each);
    if (found == bookings_.end()) continue;
    const uint32_t others = coming(found->second, now);
    if (others > 0 && each->budget(now) <= others) return each;
  }
  return nullptr;
}

// Until one more may begin than are coming, or one of these has taken too long.
void PathGate::wait_for_booked(queue::Path* path, mx::Traffic* counters, conf::Instant now) {
  const auto found = bookings_.find(counters);
  if (found == bookings_.end()) return;
  mx::Admission wait = counters->may_send_after(coming(found->second, now), now);
  if (wait.yes) wait = mx::Admission::no(mx::Bind::kRate, conf::kNever);
  for (const conf::Instant since : found->second)
    if (since + kBooked > now) wait.not_before = std::min(wait.not_before, since + kBooked);
  path->waits.add(wait);
  stand_in_line(path, &found->second);
}

void PathGate::wait(queue::Path* path, const mx::Admission& admission) {
  // An idle connection and a new one may wait for different things: whichever is free first.
  path->waits.add(admission);
  // On the ramp, and by what was learned, time helps, and so does the end of an attempt: it may be taken
  // back.
  const bool of_standing = admission.bind == mx::Bind::kProbing || admission.bind == mx::Bind::kRamp ||
                           admission.bind == mx::Bind::kAdaptive || admission.bind == mx::Bind::kWarmUp;
  if (admission.yes || (admission.not_before != conf::kNever && !of_standing)) return;
  if (admission.bind == mx::Bind::kLease) {
    if (path->waits.enter_leasing()) leasing_.push_back(path);
    return;
  }
  if (of_standing) stand_in_line(path, path->counters.standing.get());
  if (admission.bind != mx::Bind::kConnections && admission.bind != mx::Bind::kWindow) return;
  // Of all that are full: an address, a host that gets room first may be another one.
  const conf::Instant now = parts_.clock->now();
  for (const auto* counted : {&path->counters.traffic, &path->counters.hosts}) {
    for (const auto& [name, traffic] : *counted) {
      if (traffic->may_connect(now).yes || !stand_in_line(path, traffic.get())) continue;
      if (traffic->shared()) wanted_.push_back({traffic.get(), path});
    }
  }
}

// False: it does already.
bool PathGate::stand_in_line(queue::Path* path, const void* counters) {
  if (!path->waits.enter(counters)) return false;
  lines_[counters].paths.push_back(path);
  return true;
}

bool PathGate::lets_many_first(const queue::Path& path) {
  return std::ranges::any_of(path.counters.hosts, [](const auto& named) {
    return named.second->shared_with_parts() && named.second->part_was_last();
  });
}

bool PathGate::is_wanted(const queue::Path& path, const Use& use) const {
  if (lines_.empty()) return false;
  for (const mx::Traffic* each : {use.traffic.get(), use.host.get()}) {
    if (each == nullptr || !each->shared()) continue;
    const auto found = lines_.find(each);
    if (found == lines_.end() || found->second.leaving) continue;
    if (found->second.paths.size() > 1 || found->second.paths.front() != &path) return true;
  }
  return false;
}

void PathGate::makes_room(const Use& use) {
  for (const mx::Traffic* each : {use.traffic.get(), use.host.get()}) {
    const auto found = lines_.find(each);
    if (found != lines_.end()) found->second.leaving = true;
  }
}

void PathGate::leave(queue::Path* path) {
  for (const void* counters : path->waits.leave_all()) {
    const auto line = lines_.find(counters);
    if (line == lines_.end()) continue;
    std::erase(line->second.paths, path);
    if (line->second.paths.empty()) lines_.erase(line);
  }
}

void PathGate::release(const void* counters) {
  if (lines_.empty()) return;
  const auto line = lines_.find(counters);
  if (line == lines_.end()) return;
  queue::Path* path = line->second.paths.front();
  line->second.paths.pop_front();
  line->second.leaving = false;
  if (line->second.paths.empty()) lines_.erase(line);
  path->waits.leave(counters);
  parts_.ask_again(path);
}

void PathGate::pass_on(queue::Path* path, conf::Instant now) {
  if (lines_.empty()) return;
  for (const auto* counted : {&path->counters.traffic, &path->counters.hosts}) {
    for (const auto& [name, traffic] : *counted)
      if (!path->waits.stands_in(traffic.get()) && traffic->may_connect(now).yes) release(traffic.get());
  }
  if (!path->waits.stands_in(path->counters.standing.get()) && path->counters.standing->may_send(now).yes)
    release(path->counters.standing.get());
}

void PathGate::lease_renewed() {
  for (queue::Path* path : std::exchange(leasing_, {})) {
    path->waits.leave_leasing();
    parts_.ask_again(path);
  }
}

}  // namespace relay
