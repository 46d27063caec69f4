#include "relay/flow/back_off.h"

#include <algorithm>

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kFirstBreak = 250ms;  // doubled with each connection that breaks
constexpr conf::Duration kLongestBreak = 60s;
constexpr uint8_t kMostDoublings = 8;

// In its first hour a path that fails is tried every minute, later the more seldom the longer it has failed.
conf::Duration longest_back_off(const queue::Path& path, conf::Duration most, conf::Instant now) {
  const conf::Duration grown = std::max<conf::Duration>((now - path.sick_since) / 60, 1min);
  return std::min(grown, most);
}

}  // namespace

void BackOff::worked(queue::Path* path) {
  path->backoff = conf::Duration(0);
  path->stumbles = path->slow_told = false;
  path->last_error = {};
}

bool BackOff::stumbled(queue::Path* path, const queue::PathError& error, conf::Instant started) {
  if (path->failing() || path->connections != path->opening) return false;
  path->last_error = error;
  path->stumbles = true;
  path->first_expiry = std::min(path->first_expiry, started + patience(*path));  // then it is told
  return true;
}

void BackOff::failed(queue::Path* path, const queue::PathError& error, conf::Instant started,
                     conf::Instant now) {
  if (path->connections > path->opening) {  // others work: the host has enough of us for now
    path->backoff_until = std::max(path->backoff_until, now + flow_->config->path_backoff_first);
    return;
  }
  path->last_error = error;
  if (path->failing() && started < path->failing_since) return;
  back_off(path, now);
}

void BackOff::broke(queue::Path* path, const queue::PathError& error, conf::Instant started,
                    conf::Instant now) {
  if (path->breaks > 0 && started < path->broke_at) return;
  path->last_error = error;
  path->broke_at = now;
  const conf::Duration pause = std::min<conf::Duration>(
      kFirstBreak * (1 << std::min<uint8_t>(path->breaks, kMostDoublings)), kLongestBreak);
  path->breaks = std::min<uint8_t>(path->breaks + 1, UINT8_MAX - 1);
  path->backoff_until = std::max(path->backoff_until, now + spread(pause));
}

void BackOff::no_address(queue::Path* path, conf::Instant now) {
  path->last_error.stage = bounce::Stage::kDns;
  path->last_error.reply = bounce::Reply::make(0, "no host has an address that this source can reach");
  back_off(path, now);
}

conf::Duration BackOff::patience(const queue::Path& path) const {
  return flow_->config->ready_limit + (path.failing() ? conf::Duration(0) : path.settings->timeouts.connect);
}

conf::Duration BackOff::spread(conf::Duration pause) const {
  return pause + conf::Duration(random_->below(static_cast<uint64_t>(pause.count() / 10 + 1)));
}

void BackOff::back_off(queue::Path* path, conf::Instant now) {
  if (!path->failing()) {
    path->sick_since = now;
    path->first_expiry = std::min(path->first_expiry, now + flow_->config->ready_limit);  // then it is told
  }
  path->stumbles = false;
  path->backoff = path->failing() ? path->backoff * 2 : flow_->config->path_backoff_first;
  const conf::Duration longest = longest_back_off(*path, flow_->config->path_backoff_max, now);
  path->backoff = std::min(path->backoff, longest);
  path->failing_since = now;
  // Including what is spread, or the bound would not be one.
  path->backoff_until = now + std::min(spread(path->backoff), longest);
}

}  // namespace relay
