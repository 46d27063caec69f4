#include "relay/flow/work_list.h"

#include <algorithm>

namespace relay {

namespace {

constexpr uint64_t kLast = uint64_t{1} << 63;  // of all that wake at the same instant

}  // namespace

void WorkList::mark(queue::Path* path) {
  if (std::exchange(path->work.marked_, true)) return;
  dirty_.push_back(path);
}

queue::Path* WorkList::take() {
  if (dirty_.empty()) return nullptr;
  queue::Path* path = dirty_.front();
  dirty_.pop_front();
  path->work.marked_ = false;
  return path;
}

void WorkList::set_wake(queue::Path* path, conf::Instant when) {
  if (when == path->work.wake_) return;
  if (path->work.wake_ != conf::kNever) wakes_.erase({path->work.wake_, path->work.turn_});
  path->work.wake_ = when;
  const uint64_t last = std::exchange(path->work.had_turn_, false) ? kLast : 0;
  if (when == conf::kNever) return;
  path->work.turn_ = ++turns_ | last;
  wakes_.emplace(std::pair(when, path->work.turn_), path);
}

void WorkList::wake_due(conf::Instant now, size_t most) {
  while (!wakes_.empty() && wakes_.begin()->first.first <= now && dirty_.size() < most) {
    queue::Path* path = wakes_.begin()->second;
    wakes_.erase(wakes_.begin());
    path->work.wake_ = conf::kNever;
    mark(path);
  }
}

void WorkList::starve(queue::Path* path) {
  if (!std::exchange(path->work.starves_, true)) starved_.push_back(path);
}

void WorkList::feed_first() {
  starved_.front()->work.starves_ = false;
  mark(starved_.front());
  starved_.pop_front();
}

void WorkList::feed(size_t most, size_t room) {
  for (; most > 0 && resumed_ > 0 && !starved_.empty(); --most, --resumed_) feed_first();
  for (; room > 0 && !starved_.empty(); --room) feed_first();
  resumed_ = std::min(resumed_, starved_.size());  // some of them were fed just now
}

conf::Instant WorkList::next_wake() const {
  return wakes_.empty() ? conf::kNever : wakes_.begin()->first.first;
}

}  // namespace relay
