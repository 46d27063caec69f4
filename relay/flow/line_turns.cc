#include "relay/flow/line_turns.h"

#include <algorithm>
#include <optional>
#include <vector>

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
constexpr size_t kServed = 10;  // messages over each connection: to open another costs as much as some

// What waits there goes over its connections soon: another is better used by a path that has none.
bool is_served(const queue::Path& path) { return path.ready.size() <= kServed * path.connections.size(); }

using Leaf = SharedLine::Turns::Node;

}  // namespace

// Where hosts are counted: the one that may send first.
OutboundConnection* LineTurns::resting_of(const queue::Path& path) const {
  OutboundConnection* found = nullptr;
  conf::Instant soonest = conf::kNever;
  for (OutboundConnection* each : path.connections.idle()) {
    if (!each->idle()) continue;
    if (PathGate::has_one_answer(path)) return each;
    const mx::Admission admission = may_send(each);
    if (goes_on(admission)) return each;
    if (found != nullptr && admission.not_before >= soonest) continue;
    found = each;
    soonest = admission.not_before;
  }
  return found;
}

// Of any path of the line that has mail. Null: none may send, and the line wakes when the first of them may.
OutboundConnection* LineTurns::any_resting(const LinePtr& line, conf::Instant now) {
  for (OutboundConnection* each : line->resting) {
    if (!each->idle() || each->path()->ready.empty() || !each->path()->next_held(now).yes) continue;
    if (PathGate::has_one_answer(*each->path())) return each;
    const mx::Admission admission = may_send(each);
    if (goes_on(admission)) return each;
    if (admission.not_before < line->wake) parts_.lines->set_wake(line, admission.not_before);
  }
  return nullptr;
}

mx::Admission LineTurns::may_send(OutboundConnection* resting) const {
  return parts_.connections->may_send(parts_.connections->at(resting));
}

// It may send, or has sent enough and ends, which makes room as well.
bool LineTurns::goes_on(const mx::Admission& admission) {
  return admission.yes || admission.bind == mx::Bind::kPerConnection;
}

void LineTurns::step(conf::Instant now) {
  parts_.lines->wake_due(now);
  for (size_t left = kLinesPerStep; left > 0 && parts_.opener->may_go_on(); --left) {
    const LinePtr line = parts_.lines->take_marked();
    if (line == nullptr) return;
    if (!parts_.flow->stopping) work(line, now);
  }
}

void LineTurns::work(const LinePtr& line, conf::Instant now) {
  parts_.lines->set_wake(line, conf::kNever);
  if (parts_.flow->paused) {  // one of its paths wakes it again when the pause is over
    line->turns.look(1, [this](const Leaf* leaf) {
      parts_.opener->starve(leaf->leaf, mx::Bind::kRecording);
      return true;
    });
    return;
  }
  make_room(line, now);  // before it sends: a connection that had its time would take the next message
  send_in_turn(line, now);
  while (line->hungry > 0 && open_in_turn(line, true, now)) {
  }
  while (open_in_turn(line, false, now)) {
  }
}

void LineTurns::wait(const LinePtr& line, queue::Path* path, const mx::Admission& why) {
  path->waits.set(why);
  // What one_site counts is counted by this line alone, but for connections that are older than its rule, and
  // for sites of which only some hosts count there; else other sites may have the same host.
  const mx::Traffic* whole = path->counters.whole();
  const bool alone =
      path->limits->one_site && (whole == nullptr || !(whole->has_guests() || whole->shared_with_parts()));
  const bool by_others = !alone && why.not_before == conf::kNever;
  if (why.bind == mx::Bind::kLease || by_others) {
    parts_.gate->wait(path, why);
  } else if (why.not_before < line->wake) {
    parts_.lines->set_wake(line, why.not_before);
  }
}

// What is full of connections gives one to each path that has mail and none: the one that is needed least
// goes.
void LineTurns::make_room(const LinePtr& line, conf::Instant now) {
  while (line->hungry > line->leaving) {
    OutboundConnection* connection = line->least_needed(now);
    if (connection == nullptr) return;
    Slot& slot = parts_.connections->at(connection);
    if (!parts_.connections->full() && !PathGate::is_full(slot.use, now)) return;
    ++line->leaving;
    slot.room_of = line;
    parts_.connections->rests_no_more(connection);
    connection->quit();
  }
}

// Over the connections that rest. Where all of the line have one answer, the first that says no says it for
// all; where hosts are counted, a connection to another one may go on.
void LineTurns::send_in_turn(const LinePtr& line, conf::Instant now) {
  for (size_t left = kSendsPerStep; !line->turns.empty(); --left) {
    if (left == 0) return parts_.lines->mark(line);
    const Leaf* leaf = line->turns.look(kLook, [&](const Leaf* each) {
      if (!each->leaf->next_held(now).yes) return false;
      OutboundConnection* resting = resting_of(*each->leaf);
      if (resting == nullptr || PathGate::has_one_answer(*each->leaf)) return resting != nullptr;
      const mx::Admission admission = may_send(resting);
      if (!goes_on(admission)) wait(line, each->leaf, admission);
      return goes_on(admission);
    });
    // Those that are next may have no connection yet: nobody loses by another.
    OutboundConnection* connection = leaf == nullptr ? any_resting(line, now) : resting_of(*leaf->leaf);
    if (connection == nullptr) return;
    Slot& slot = parts_.connections->at(connection);
    const mx::Admission admission = parts_.connections->may_send(slot);
    const bool spent = admission.bind == mx::Bind::kPerConnection;  // it alone
    if (!admission.yes && !spent) return wait(line, connection->path(), admission);
    parts_.connections->rests_no_more(connection);
    if (spent) {
      connection->quit();
      continue;
    }
    parts_.jobs->take(&slot, leaf == nullptr ? std::nullopt : std::optional(leaf->sender()));
  }
}

// One for each path that wants one, in their turns; `first`: but for those that have one and need no other
// while paths are hungry, which is asked again after each. True: another round may open more.
bool LineTurns::open_in_turn(const LinePtr& line, bool first, conf::Instant now) {
  bool opened = false;
  size_t position = 0;
  std::vector<Leaf*> aside;
  line->turns.look(kLook, [&](Leaf* leaf) {
    queue::Path* path = leaf->leaf;
    const bool next = position++ < kEarlyTurns;
    if (path->health.backs_off(now) || !path->next_held(now).yes || path->one_probe_only() ||
        parts_.logins->until(*path) > now) {
      aside.push_back(leaf);
      return false;
    }
    if (path->ready.size() <= path->connections.opening()) return false;
    if (first && line->hungry > 0 && is_served(*path)) return false;
    OutboundConnection* resting = resting_of(*path);
    if (resting != nullptr && (PathGate::has_one_answer(*path) || goes_on(may_send(resting)))) return false;
    if (!parts_.opener->may_go_on()) {
      parts_.lines->mark(line);
      return true;
    }
    if (parts_.connections->full()) {
      parts_.opener->starve(path, mx::Bind::kTotal);
      return true;
    }
    mx::Admission admission = parts_.gate->may_open(path, {}, now);
    const bool has_turn = !admission.yes && next && path->connections.size() == 0 &&
                          (admission.bind == mx::Bind::kRate || admission.bind == mx::Bind::kQuota);
    const bool early = has_turn && admission.not_before <= now + kEarly;
    if (!admission.yes) wait(line, path, admission);
    // Else a connection that rests elsewhere would take this turn, and the next one too.
    if (has_turn && !early && admission.not_before != conf::kNever &&
        admission.not_before - kEarly < line->wake)
      parts_.lines->set_wake(line, admission.not_before - kEarly);
    if (admission.bind == mx::Bind::kConnections) {
      parts_.opener->move_on(path, now);
      if (path->waits.until() < line->wake) parts_.lines->set_wake(line, path->waits.until());
    }
    if (early) admission = parts_.gate->may_open_early(path, {}, now);
    if (!admission.yes || (!early && parts_.gate->budget(path, {}, now) <= line->opening)) return true;
    if (mx::Traffic* booked = early ? nullptr : parts_.gate->booked_up(path, {}, now)) {
      parts_.gate->wait_for_booked(path, booked, now);
      return true;
    }
    if (parts_.opener->open_one(path, early, now)) {
      opened = true;
    } else if (path->waits.any() && path->waits.until() < line->wake) {
      parts_.lines->set_wake(line, path->waits.until());
    }
    return false;
  });
  // Those that fail stand behind the others, or they would hide them.
  for (Leaf* leaf : aside) line->turns.make_last(leaf);
  if (!aside.empty() && aside.size() == position && line->fruitless++ * kLook < line->turns.size())
    return true;
  line->fruitless = 0;
  return opened;
}

}  // namespace relay
