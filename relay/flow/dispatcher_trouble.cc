// What the dispatcher makes of connections that fail, break or end.
#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/flow/dispatcher.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kFailedTargetMemory =
    60s;  // a host that just failed is not the first choice for so long

}  // namespace

void Dispatcher::no_address(queue::Path* path, conf::Instant now) {
  path->last_error.stage = bounce::Stage::kDns;
  path->last_error.reply = bounce::Reply::make(0, "no host has an address that this source can reach");
  back_off(path, now);
  gate_.wait(path, mx::Admission::no(mx::Bind::kBackOff, path->backoff_until));
}

void Dispatcher::target_failed(OutboundConnection* connection, const Target& target) {
  const conf::Instant now = clock_->now();
  Slot& slot = connections_.at(connection);
  learn(*connection, target);
  connection->path()->site->failing_hosts[target.address] = now + kFailedTargetMemory;
  gate_.trouble(connection->path(), slot.use, meant(*connection), now);
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
    path_failed(connection, now);
  } else if (!was_idle && !connection->quitting() && !connection->blameless()) {
    gate_.trouble(path, slot.use, meant(*connection), now);
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
}

void Dispatcher::path_failed(OutboundConnection* connection, conf::Instant now) {
  queue::Path* path = connection->path();
  if (path->connections > path->opening) {  // others work: the host has enough of us for now
    path->backoff_until = std::max(path->backoff_until, now + config_->path_backoff_first);
    return;
  }
  path->last_error = meant(*connection);
  if (failing(path) && connection->started() < path->failing_since)
    return;  // opened before the last failure: the same one
  back_off(path, now);
}

void Dispatcher::back_off(queue::Path* path, conf::Instant now) {
  path->backoff =
      failing(path) ? std::min(path->backoff * 2, config_->path_backoff_max) : config_->path_backoff_first;
  path->failing_since = now;
  path->backoff_until = now + path->backoff + conf::Duration(random_->below(path->backoff.count() / 10 + 1));
}

}  // namespace relay
