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
  if (path->shared.line == nullptr && !shared) return;
  if (path->shared.line != nullptr && shared && path->shared.line->standing == path->counters.standing)
    return;
  if (path->shared.line != nullptr) {
    path->shared.line->left(path);
    mark(path->shared.line);
    path->shared.line.reset();
  }
  if (!shared) return;
  if (path->shared.number == 0)
    path->shared.number = last_number_ = last_number_ % SharedLine::Turns::kMostLeaf + 1;
  path->shared.line = line_of(path->counters.standing);
  path->shared.line->joined(path, now);
}

void SharedLines::begins(queue::Path* path, conf::Instant now) {
  path->connections.begins(now);
  if (path->shared.line == nullptr) return;
  ++path->shared.line->connections;
  ++path->shared.line->opening;
  path->shared.line->note(path, now);
}

void SharedLines::gets_ready(queue::Path* path, conf::Instant now) {
  path->connections.gets_ready(now);
  if (path->shared.line == nullptr) return;
  --path->shared.line->opening;
  path->shared.line->note(path, now);
}

void SharedLines::ends(queue::Path* path, bool was_ready, conf::Instant now) {
  path->connections.ends(was_ready);
  if (path->shared.line == nullptr) return;
  --path->shared.line->connections;
  path->shared.line->opening -= was_ready ? 0 : 1;
  path->shared.line->note(path, now);
}

void SharedLines::entered(queue::Path* path, const queue::Delivery& delivery, conf::Instant now) {
  if (path->shared.line == nullptr) return;
  path->shared.line->entered(delivery.sender, path);
  path->shared.line->note(path, now);
}

void SharedLines::left(queue::Path* path, const queue::Delivery& delivery, conf::Instant now) {
  if (path->shared.line == nullptr) return;
  path->shared.line->emptied(delivery.sender, *path);
  path->shared.line->note(path, now);
}

void SharedLines::rests(OutboundConnection* connection) {
  queue::Path* path = connection->path();
  path->connections.rests(connection);
  if (path->shared.line == nullptr) return;
  path->shared.line->resting.push_back(connection);
  mark(path->shared.line);
}

void SharedLines::rests_no_more(OutboundConnection* connection) {
  queue::Path* path = connection->path();
  path->connections.rests_no_more(connection);
  if (path->shared.line != nullptr) std::erase(path->shared.line->resting, connection);
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
