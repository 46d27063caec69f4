// The dispatcher's work on paths that are counted together: who of them sends, who opens a connection, and
// which connection makes room for another path. See shared_line.h.
#include <algorithm>
#include <utility>
#include <vector>

#include "relay/flow/dispatcher.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr size_t kLook = 32;           // leaves that are asked in one go, in their turns
constexpr size_t kSendsPerStep = 64;   // of one line
constexpr size_t kLinesPerStep = 256;  // the rest in the next step
// A connection for one of the next turns is opened so long before its message may go: what it takes to open
// one is then no loss.
constexpr conf::Duration kEarly = 2s;
constexpr size_t kEarlyTurns = 2;

}  // namespace

void Dispatcher::work_lines(conf::Instant now) {
  lines_.wake_due(now);
  for (size_t left = kLinesPerStep; left > 0 && opens_left_ > 0; --left) {
    const SharedLines::LinePtr line = lines_.take_marked();
    if (line == nullptr) return;
    if (stopping_) continue;
    lines_.set_wake(line, conf::kNever);
    if (paused_) {  // one of its paths wakes it again when the pause is over
      line->turns.look(1, [this](const SharedLine::Turns::Node* leaf) {
        starve(leaf->leaf, mx::Bind::kRecording);
        return true;
      });
      continue;
    }
    make_room(line, now);  // before it sends: a connection that had its time would take the next message
    send_in_turn(line);
    while (open_in_turn(line, now)) {
    }
  }
}

void Dispatcher::wait(const SharedLines::LinePtr& line, queue::Path* path, const mx::Admission& why) {
  path->binds = why.bind;
  path->binds_until = why.not_before;
  if (why.bind == mx::Bind::kLease) {
    gate_.wait(path, why);
  } else if (why.not_before < line->wake) {
    lines_.set_wake(line, why.not_before);
  }
}

// What is full of connections gives one to each path that has mail and none: the one that is needed least
// goes.
void Dispatcher::make_room(const SharedLines::LinePtr& line, conf::Instant now) {
  while (line->hungry > line->leaving) {
    OutboundConnection* connection = line->least_needed(now);
    if (connection == nullptr) return;
    Slot& slot = connections_.at(connection);
    const bool full =
        connections_.size() >= config_->max_outbound_connections || PathGate::is_full(slot.use, now);
    if (!full) return;
    ++line->leaving;
    slot.room_of = line;
    lines_.rests_no_more(connection);
    connection->quit();
  }
}

// Over the connections that rest. All of the line have one answer, so the first that says no says it for all.
void Dispatcher::send_in_turn(const SharedLines::LinePtr& line) {
  const auto rests = [](const OutboundConnection* connection) { return connection->idle(); };
  const auto resting_of = [&rests](const queue::Path& path) -> OutboundConnection* {
    const auto found = std::ranges::find_if(path.idle, rests);
    return found == path.idle.end() ? nullptr : *found;
  };
  for (size_t left = kSendsPerStep; !line->turns.empty(); --left) {
    if (left == 0) return lines_.mark(line);
    SharedLine::Turns::Node* leaf = line->turns.look(
        kLook, [&](const SharedLine::Turns::Node* each) { return resting_of(*each->leaf) != nullptr; });
    OutboundConnection* connection = leaf == nullptr ? nullptr : resting_of(*leaf->leaf);
    if (leaf == nullptr) {  // those that are next have no connection yet: nobody loses by another
      const auto other = std::ranges::find_if(line->resting, [&rests](const OutboundConnection* each) {
        return rests(each) && !each->path()->ready.empty();
      });
      if (other == line->resting.end()) return;
      connection = *other;
    }
    Slot& slot = connections_.at(connection);
    const mx::Admission admission = may_send(slot);
    if (!admission.yes && admission.bind != mx::Bind::kPerConnection)
      return wait(line, connection->path(), admission);
    lines_.rests_no_more(connection);
    take(slot, leaf == nullptr ? std::nullopt : std::optional(leaf->sender()));
  }
}

bool Dispatcher::open_one(queue::Path* path, bool early, conf::Instant now) {
  std::vector<mx::Admission> refusals;
  uint32_t budget = 0;
  std::vector<Target> targets = early ? all_targets(path, now, [](const std::string&) { return true; })
                                      : targets_for(path, &refusals, &budget, now);
  --opens_left_;
  if (targets.empty()) {
    no_address(path, now);
    return false;
  }
  open(path, std::move(targets), early);
  return true;
}

// One for each path that wants one, in their turns. True: another round may open more.
bool Dispatcher::open_in_turn(const SharedLines::LinePtr& line, conf::Instant now) {
  bool opened = false;
  size_t position = 0;
  std::vector<SharedLine::Turns::Node*> aside;
  line->turns.look(kLook, [&](SharedLine::Turns::Node* leaf) {
    queue::Path* path = leaf->leaf;
    const bool next = position++ < kEarlyTurns;
    if (path->backoff_until > now || path->one_probe_only() || login_until(*path) > now) {
      aside.push_back(leaf);
      return false;
    }
    if (path->ready.size() <= path->opening || std::ranges::any_of(path->idle, &OutboundConnection::idle))
      return false;
    if (opens_left_ == 0) {
      lines_.mark(line);
      return true;
    }
    if (connections_.size() >= config_->max_outbound_connections) {
      starve(path, mx::Bind::kTotal);
      return true;
    }
    mx::Admission admission = gate_.may_open(path, {}, now);
    const bool early = !admission.yes && next && path->connections == 0 &&
                       admission.not_before <= now + kEarly &&
                       (admission.bind == mx::Bind::kRate || admission.bind == mx::Bind::kQuota);
    if (!admission.yes) wait(line, path, admission);
    if (early) admission = gate_.may_open_early(path, {}, now);
    if (!admission.yes || (!early && gate_.budget(path, {}, now) <= line->opening)) return true;
    opened |= open_one(path, early, now);
    return false;
  });
  // Those that fail stand behind the others, or they would hide them.
  for (SharedLine::Turns::Node* leaf : aside) line->turns.served(leaf);
  if (!aside.empty() && aside.size() == position && line->fruitless++ * kLook < line->turns.size())
    return true;
  line->fruitless = 0;
  return opened;
}

}  // namespace relay
