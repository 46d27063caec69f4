// The paths that are to be worked on: those that something happened to, those whose time has come, and those
// that starve, because the relay has all the connections that it may have. A path stands in each of the three
// lists once at most; its WorkEntry says in which, and only this class writes that. Paths belong to the site
// table, which keeps a path that stands in a list. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>

#include "conf/vocab/time.h"
#include "relay/flow/path.h"

namespace relay {

class WorkList {
 public:
  void mark(queue::Path* path);  // something happened to it
  queue::Path* take();           // the one that was marked first; null: none
  bool empty() const { return dirty_.empty(); }

  // The path is marked again at `when` instead of when was said before; kNever: time alone does not wake it.
  void set_wake(queue::Path* path, conf::Instant when);
  // Marks those whose time has come, until `most` are marked. Of two that wake together goes first who waited
  // first.
  void wake_due(conf::Instant now, size_t most);

  void starve(queue::Path* path);  // until feed() finds room for it, or the pause in which it starved is over
  void resume() { resumed_ = starved_.size(); }  // that pause is over
  // Marks starving paths, in their order: `most` of those that waited for the end of a pause, then as many as
  // there is `room` for.
  void feed(size_t most, size_t room);
  bool has_resumed() const { return resumed_ > 0; }
  size_t starving() const { return starved_.size(); }

  conf::Instant next_wake() const;  // of those that time wakes

 private:
  void feed_first();

  std::deque<queue::Path*> dirty_;
  std::deque<queue::Path*> starved_;
  size_t resumed_ = 0;  // of starved_, the first: those that waited for the end of a pause
  std::map<std::pair<conf::Instant, uint64_t>, queue::Path*> wakes_;
  uint64_t turns_ = 0;
};

}  // namespace relay
