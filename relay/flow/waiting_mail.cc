#include "relay/flow/waiting_mail.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/flow/site_table.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr auto kExpiry = queue::ReadyQueue::Purpose::kExpiry;
constexpr conf::Duration kExpiryRound = 1min;
constexpr conf::Duration kNextPart = 1ms;  // of a round
constexpr conf::Duration kLeastPause = 10ms;
constexpr conf::Duration kLookForRoom = 250ms;  // in memory; a look costs less than a microsecond
constexpr size_t kGiveUpChunk = 256;    // deliveries that end per path and step: each needs its record
constexpr size_t kLooksPerStep = 4096;  // at deliveries whose validity may be over: 20 ns each

AttemptFacts facts_of(const queue::Path& path, const queue::Delivery& delivery, conf::Instant now) {
  AttemptFacts facts = facts_of_path(path);
  facts.mx_host = path.health.last_error().mx_host;
  facts.mx_address = path.health.last_error().mx_address;
  facts.delays.dns = conf::Duration(delivery.dns_micros);
  facts.delays.queue = std::max(now - delivery.due, conf::Duration(0));
  return facts;
}

}  // namespace

void WaitingMail::entered(queue::Path* path, const queue::Delivery& delivery) {
  path->look_by(parts_.user->expiry(delivery, *path->settings));
  if (path->health.failing() || path->health.stumbles())  // then it is told that it waits
    path->look_by(delivery.due + parts_.back_off->patience(*path));
  parts_.lines->entered(path, delivery, parts_.flow->now());
  ++size_;
  parts_.work->mark(path);
}

void WaitingMail::left(queue::Path* path, const queue::Delivery& delivery) {
  parts_.lines->left(path, delivery, parts_.flow->now());
  --size_;
}

void WaitingMail::add(queue::Delivery* delivery, queue::Path* path) {
  delivery->move_to(queue::DeliveryState::kReady);
  delivery->path = path;
  // A reload may have changed with whom it is counted, while it has mail.
  parts_.lines->place(path, parts_.flow->config->sources.size(), parts_.flow->now());
  path->ready.push_back(delivery);
  entered(path, *delivery);
}

void WaitingMail::add_first(queue::Delivery* delivery) {
  CHECK(delivery->path != nullptr);
  delivery->move_to(queue::DeliveryState::kReady);
  queue::Path* path = delivery->path;
  // A reload may have changed with whom it is counted, while it has mail.
  parts_.lines->place(path, parts_.flow->config->sources.size(), parts_.flow->now());
  path->ready.push_front(delivery);
  entered(path, *delivery);
}

void WaitingMail::remove(queue::Delivery* delivery) {
  CHECK(delivery->state == queue::DeliveryState::kReady);
  queue::Path* path = std::exchange(delivery->path, nullptr);
  path->ready.erase(delivery);
  left(path, *delivery);
  parts_.work->mark(path);
}

queue::Delivery* WaitingMail::take(queue::Path* path, std::optional<uint32_t> sender) {
  const auto& line = path->shared.line;
  const queue::Turn turn = sender && line != nullptr ? line->turn_of(*sender, *path) : queue::Turn::kRound;
  bool newer_waits = false;
  queue::Delivery* delivery =
      sender ? path->ready.pop_front_of(*sender, turn, &newer_waits) : path->ready.pop_front();
  if (delivery == nullptr) return nullptr;
  if (line != nullptr) line->served(delivery->sender, *path, turn, newer_waits);
  left(path, *delivery);
  const conf::Instant now = parts_.flow->now();
  if (delivery->message != nullptr || parts_.messages->has_room_for(delivery->id, delivery->size, now))
    return delivery;
  path->holds.lack_memory_until(now + kLookForRoom);
  add_first(delivery);
  return nullptr;
}

bool WaitingMail::expiry_is_due(const queue::Path& path, conf::Instant now) {
  return path.first_expiry <= now || path.ready.rounding(kExpiry);
}

conf::Instant WaitingMail::next_expiry(const queue::Path& path, conf::Instant now) {
  return path.ready.rounding(kExpiry) ? now + kNextPart : std::max(path.first_expiry, now + kLeastPause);
}

void WaitingMail::expire(queue::Path* path, conf::Instant now) {
  if (!path->ready.rounding(kExpiry)) {
    path->ready.begin_round(kExpiry);
    path->first_expiry = conf::kNever;
  }
  for (size_t i = 0, over = 0; i < kLooksPerStep; ++i) {
    if (over == kGiveUpChunk || parts_.messages->loading() >= 2 * kGiveUpChunk) break;
    queue::Delivery* delivery = path->ready.next_of_round(kExpiry);
    if (delivery == nullptr) break;
    const conf::Instant expiry = parts_.user->expiry(*delivery, *path->settings);
    if (expiry > now) {
      path->look_by(std::max(expiry, now + kExpiryRound));
      if (path->health.failing() || path->health.stumbles()) tell_long_wait(path, delivery, now);
      continue;
    }
    ++over;
    path->ready.erase(delivery);
    left(path, *delivery);
    Report report;
    report.kind = Report::Kind::kExpired;
    report.facts = facts_of(*path, *delivery, now);
    delivery->path = nullptr;
    parts_.user->report(delivery, std::move(report));
  }
}

// Its path fails: said once in the log.
void WaitingMail::tell_long_wait(queue::Path* path, queue::Delivery* delivery, conf::Instant now) {
  const conf::Instant at = delivery->due + parts_.back_off->patience(*path);
  if (delivery->wait_told) return;
  if (at <= now)
    return parts_.user->waits_long(delivery, path->health.last_error(), facts_of(*path, *delivery, now));
  path->look_by(std::max(at, now + kExpiryRound));
}

}  // namespace relay
