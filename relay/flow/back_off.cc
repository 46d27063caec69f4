#include "relay/flow/back_off.h"

#include <algorithm>

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kFirstBreak = 250ms;  // doubled with each connection that breaks
constexpr conf::Duration kLongestBreak = 60s;
constexpr uint8_t kMostDoublings = 8;
constexpr uint8_t kSickInARow = 3;

// In its first hour a path that fails is tried every minute, later the more seldom the longer it has failed.
conf::Duration longest_back_off(conf::Duration failing_for, conf::Duration most) {
  return std::min(std::max<conf::Duration>(failing_for / 60, 1min), most);
}

}  // namespace

bool BackOff::stumbled(queue::Path* path, const queue::PathError& error, conf::Instant started) {
  if (path->health.failing() || path->connections.any_was_ready()) return false;
  path->health.stumble(error);
  path->look_by(started + patience(*path));  // then it is told
  return true;
}

void BackOff::failed(queue::Path* path, const queue::PathError& error, conf::Instant started,
                     conf::Instant now) {
  if (path->connections.any_was_ready()) {  // others work: the host has enough of us for now
    path->health.put_off_until(now + flow_->config->path_backoff_first);
    return;
  }
  path->health.note(error);
  if (path->health.is_new_failure(started)) back_off(path, now);
}

void BackOff::broke(queue::Path* path, const queue::PathError& error, conf::Instant started,
                    conf::Instant now) {
  if (!path->health.is_new_break(started)) return;
  const conf::Duration pause = std::min<conf::Duration>(
      kFirstBreak * (1 << std::min<uint8_t>(path->health.breaks(), kMostDoublings)), kLongestBreak);
  path->health.break_off(error, std::min(spread(pause), kLongestBreak), now);
}

bool BackOff::refused(queue::Path* path, const queue::PathError& error, conf::Instant started,
                      conf::Instant now) {
  path->health.refuses();
  if (path->health.refused() < kSickInARow) return false;
  broke(path, error, started, now);
  return true;
}

void BackOff::no_address(queue::Path* path, conf::Instant now) {
  queue::PathError error = path->health.last_error();
  error.stage = bounce::Stage::kDns;
  error.reply = bounce::Reply::make(0, "no host has an address that this source can reach");
  path->health.note(std::move(error));
  back_off(path, now);
}

conf::Duration BackOff::patience(const queue::Path& path) const {
  return flow_->config->ready_limit +
         (path.health.failing() ? conf::Duration(0) : path.settings->timeouts.connect);
}

conf::Duration BackOff::spread(conf::Duration pause) const {
  return pause + conf::Duration(random_->below(static_cast<uint64_t>(pause.count() / 10 + 1)));
}

void BackOff::back_off(queue::Path* path, conf::Instant now) {
  queue::PathHealth& health = path->health;
  const bool first = !health.failing();
  if (first) path->look_by(now + flow_->config->ready_limit);  // then it is told
  const conf::Duration longest = longest_back_off(first ? conf::Duration(0) : now - health.sick_since(),
                                                  flow_->config->path_backoff_max);
  const conf::Duration next = first ? flow_->config->path_backoff_first : 2 * health.back_off();
  const conf::Duration step = std::min(next, longest);
  // Including what is spread, or the bound would not be one.
  health.fail(step, std::min(spread(step), longest), now);
}

}  // namespace relay
