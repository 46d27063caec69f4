#include "relay/flow/shared_lines.h"

#include <algorithm>

#include "relay/flow/outbound_connection.h"

namespace relay {

namespace {

// With scope = "path" each address is counted by itself, and its sites have different ones: no one turn fits.
bool is_shared(const mx::PathLimits& limits, size_t sources) {
  if (limits.scope == conf::RuleScope::kPath) return false;
  return limits.one_site || (limits.scope == conf::RuleScope::kPool && sources > 1);
}

}  // namespace

SharedLines::LinePtr SharedLines::line_of(const std::shared_ptr<mx::Standing>& standing) {
  std::weak_ptr<SharedLine>& slot = lines_[standing.get()];
  LinePtr line = slot.lock();
  if (line != nullptr) return line;
  line = std::make_shared<SharedLine>(standing);
  slot = line;
  if (lines_.size() >= prune_at_) {
    std::erase_if(lines_, [](const auto& entry) { return entry.second.expired(); });
    prune_at_ = std::max<size_t>(64, 2 * lines_.size());
  }
  return line;
}

void SharedLines::place(queue::Path* path, size_t sources, conf::Instant now) {
  const bool shared = is_shared(*path->limits, sources);
  if (path->shared == nullptr && !shared) return;
  if (path->shared != nullptr && shared && path->shared->standing == path->standing) return;
  if (path->shared != nullptr) {
    path->shared->left(path);
    mark(path->shared);
    path->shared.reset();
  }
  if (!shared) return;
  if (path->number == 0) path->number = last_number_ = last_number_ % SharedLine::Turns::kMostLeaf + 1;
  path->shared = line_of(path->standing);
  path->shared->joined(path, now);
}

void SharedLines::count(queue::Path* path, int connections, int opening, conf::Instant now) {
  const bool got_ready = connections == 0 && opening < 0;
  if (got_ready || (path->opening == 0 && opening > 0)) path->opening_since = now;
  path->connections += static_cast<uint32_t>(connections);
  path->opening += static_cast<uint32_t>(opening);
  if (path->shared == nullptr) return;
  path->shared->connections += static_cast<size_t>(connections);
  path->shared->opening += static_cast<size_t>(opening);
  path->shared->note(path, now);
}

void SharedLines::entered(queue::Path* path, const queue::Delivery& delivery, conf::Instant now) {
  if (path->shared == nullptr) return;
  path->shared->entered(delivery.sender, path);
  path->shared->note(path, now);
}

void SharedLines::left(queue::Path* path, const queue::Delivery& delivery, conf::Instant now) {
  if (path->shared == nullptr) return;
  path->shared->emptied(delivery.sender, *path);
  path->shared->note(path, now);
}

void SharedLines::rests(OutboundConnection* connection) {
  queue::Path* path = connection->path();
  path->idle.push_back(connection);
  if (path->shared == nullptr) return;
  path->shared->resting.push_back(connection);
  mark(path->shared);
}

void SharedLines::rests_no_more(OutboundConnection* connection) {
  queue::Path* path = connection->path();
  std::erase(path->idle, connection);
  if (path->shared != nullptr) std::erase(path->shared->resting, connection);
}

void SharedLines::mark(const LinePtr& line) {
  if (std::exchange(line->dirty, true)) return;
  marked_.push_back(line);
}

void SharedLines::set_wake(const LinePtr& line, conf::Instant when) {
  if (when == line->wake) return;
  if (line->wake != conf::kNever) wakes_.erase({line->wake, line->turn});
  line->wake = when;
  if (when == conf::kNever) return;
  line->turn = ++turns_;
  wakes_.emplace(std::pair(when, line->turn), line);
}

void SharedLines::wake_due(conf::Instant now) {
  while (!wakes_.empty() && wakes_.begin()->first.first <= now) {
    const LinePtr line = wakes_.begin()->second;
    wakes_.erase(wakes_.begin());
    line->wake = conf::kNever;
    mark(line);
  }
}

SharedLines::LinePtr SharedLines::take_marked() {
  if (marked_.empty()) return nullptr;
  LinePtr line = std::move(marked_.front());
  marked_.pop_front();
  line->dirty = false;
  return line;
}

conf::Instant SharedLines::next_wake() const {
  if (!marked_.empty()) return conf::Instant{};
  return wakes_.empty() ? conf::kNever : wakes_.begin()->first.first;
}

}  // namespace relay
