// What the dispatcher makes of connections that fail, break or end.
#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/flow/dispatcher.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kFirstBreak = 250ms;  // doubled with each connection that breaks
constexpr conf::Duration kLongestBreak = 60s;
constexpr uint8_t kMostDoublings = 8;
constexpr conf::Duration kFailedTargetMemory =
    60s;  // a host that just failed is not the first choice for so long

// In its first hour a path that fails is tried every minute, later the more seldom the longer it has failed.
conf::Duration longest_back_off(const queue::Path& path, conf::Duration most, conf::Instant now) {
  const conf::Duration grown = std::max<conf::Duration>((now - path.sick_since) / 60, 1min);
  return std::min(grown, most);
}

}  // namespace

void Dispatcher::no_address(queue::Path* path, conf::Instant now) {
  path->last_error.stage = bounce::Stage::kDns;
  path->last_error.reply = bounce::Reply::make(0, "no host has an address that this source can reach");
  back_off(path, now);
  gate_.wait(path, mx::Admission::no(mx::Bind::kBackOff, path->backoff_until));
  if (failing_) failing_(path);
}

void Dispatcher::target_failed(OutboundConnection* connection, const Target& target) {
  const conf::Instant now = clock_->now();
  Slot& slot = connections_.at(connection);
  learn(*connection, target);
  queue::Path* path = connection->path();
  path->site->failing_hosts[target.address] = now + kFailedTargetMemory;
  trouble(connection, &slot, now);
  if (!path->failing() && path->connections == path->opening) {
    path->last_error = meant(*connection);
    path->stumbles = true;
    path->first_expiry =
        std::min(path->first_expiry, connection->started() + patience(*path));  // then it is told
    mark(path);
  }
  gate_.close(&slot.use);
}

void Dispatcher::connection_ended(OutboundConnection* connection) {
  const auto found = connections_.find(connection);
  CHECK(found != connections_.end());
  Slot slot = std::move(found->second);
  connections_.erase(found);
  queue::Path* path = connection->path();
  learn(*connection, connection->target());
  const conf::Instant now = clock_->now();
  const bool was_idle = std::ranges::find(path->idle, connection) != path->idle.end();
  lines_.rests_no_more(connection);
  lines_.count(path, -1, connection->ever_ready() ? 0 : -1, now);
  if (slot.room_of != nullptr) --slot.room_of->leaving;
  if (!connection->ever_ready()) {
    logins_.undecided(connection->login());
    path_failed(connection, now);
  } else if (!was_idle && !connection->quitting() && !connection->blameless()) {
    if (!trouble(connection, &slot, now)) path_broke(connection, now);
  }
  gate_.abandon(path, &slot.use, now);
  gate_.close(&slot.use);
  if (slot.job.waiting) {
    slot.job.delivery->path = nullptr;  // answered() brings it back; the path may be gone by then
  } else if (slot.job.delivery != nullptr) {
    release(slot);
  }
  graveyard_.push_back(std::move(slot.connection));
  mark(path);
  if (failing_ && path->failing()) failing_(path);
}

void Dispatcher::path_failed(OutboundConnection* connection, conf::Instant now) {
  queue::Path* path = connection->path();
  if (path->connections > path->opening) {  // others work: the host has enough of us for now
    path->backoff_until = std::max(path->backoff_until, now + config_->path_backoff_first);
    return;
  }
  path->last_error = meant(*connection);
  if (path->failing() && connection->started() < path->failing_since)
    return;  // opened before the last failure: the same one
  back_off(path, now);
}

// It was ready and broke before its message was answered. Others of the path may go on; after a second one in
// a row the path is tried by one connection at a time.
void Dispatcher::path_broke(OutboundConnection* connection, conf::Instant now) {
  queue::Path* path = connection->path();
  if (path->breaks > 0 && connection->started() < path->broke_at) return;
  path->last_error = meant(*connection);
  path->broke_at = now;
  const conf::Duration pause = std::min<conf::Duration>(
      kFirstBreak * (1 << std::min<uint8_t>(path->breaks, kMostDoublings)), kLongestBreak);
  path->breaks = std::min<uint8_t>(path->breaks + 1, UINT8_MAX - 1);
  path->backoff_until = std::max(path->backoff_until, now + spread(pause));
}

conf::Duration Dispatcher::spread(conf::Duration pause) const {
  return pause + conf::Duration(random_->below(static_cast<uint64_t>(pause.count() / 10 + 1)));
}

void Dispatcher::back_off(queue::Path* path, conf::Instant now) {
  if (!path->failing()) {
    path->sick_since = now;
    path->first_expiry = std::min(path->first_expiry, now + config_->ready_limit);  // then it is told
  }
  path->stumbles = false;
  path->backoff = path->failing() ? path->backoff * 2 : config_->path_backoff_first;
  const conf::Duration longest = longest_back_off(*path, config_->path_backoff_max, now);
  path->backoff = std::min(path->backoff, longest);
  path->failing_since = now;
  // Including what is spread, or the bound would not be one.
  path->backoff_until = now + std::min(spread(path->backoff), longest);
}

}  // namespace relay
