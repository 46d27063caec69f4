// Paths whose connections and messages are counted together, by a rule for many sites (one_site) or for all
// sources (scope = "pool"): they take turns. Messages go in the turns of their senders (turn_tree.h) whatever
// path they take, so that no site and no sender keeps what is shared to itself; a connection that has nothing
// to do, or that had its time, makes room for a path that has mail and no connection. Plain data and who is
// next: the Dispatcher works with it. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "conf/vocab/time.h"
#include "mx/limits/standing.h"
#include "relay/flow/path.h"
#include "relay/queue/turn_tree.h"

namespace relay {

// It has sent for long enough for what it cost to open: it may make room for another path.
bool had_its_time(const OutboundConnection& connection, conf::Instant now);

struct SharedLine {
  explicit SharedLine(std::shared_ptr<mx::Standing> of) : standing(std::move(of)) {}
  using Turns = queue::TurnTree<queue::Path*>;  // a leaf: the mail of one sender that waits on one path

  // Something of the path's mail or connections has changed.
  void note(queue::Path* path, conf::Instant now);
  void joined(queue::Path* path, conf::Instant now);  // with what it has
  void left(queue::Path* path);                       // it has no mail
  // Mail of the sender waits on the path, or waits no more.
  void entered(uint32_t sender, queue::Path* path) { turns.at(sender, path->shared.number)->leaf = path; }
  void emptied(uint32_t sender, const queue::Path& path);
  // What kind of turn is next, if it is theirs; and it is over (TurnTree::served).
  queue::Turn turn_of(uint32_t sender, const queue::Path& path);
  void served(uint32_t sender, const queue::Path& path, queue::Turn turn, bool stays_new);

  // Another path than this one has mail.
  bool contended(const queue::Path& path) const { return with_mail > (path.shared.has_mail ? 1U : 0U); }
  // The connection that goes first when room is needed: one whose path has no mail, the one that rests
  // longest; else one that has sent long enough for what it cost to open, the one whose turn was last. Null:
  // none.
  OutboundConnection* least_needed(conf::Instant now) const;

  std::shared_ptr<mx::Standing> standing;  // the counters that all of them have
  Turns turns;
  std::vector<OutboundConnection*> resting;  // of all paths; the last came last
  size_t with_mail = 0;                      // paths
  size_t hungry = 0;                         // of these, those that have no connection and could open one
  size_t connections = 0;                    // open and opening
  size_t opening = 0;
  size_t leaving = 0;    // say QUIT to make room
  size_t fruitless = 0;  // looks in a row that met only paths that fail
  bool dirty = false;    // in the dispatcher's work list
  conf::Instant wake = conf::kNever;
  uint64_t turn = 0;  // in the dispatcher's alarm list

 private:
  void count(queue::Path* path, bool has_mail, bool wants);
};

}  // namespace relay
