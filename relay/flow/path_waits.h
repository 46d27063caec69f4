// What keeps the mail of a path back, as it was when that was last asked, and the lines of other paths that
// it stands in for it. Written by the PathGate; by LineTurns for paths that are counted together. Loop
// thread.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "conf/vocab/time.h"
#include "mx/limits/admission.h"

namespace relay::queue {

class PathWaits {
 public:
  bool any() const { return bind_ != mx::Bind::kNothing; }
  mx::Bind bind() const { return bind_; }
  conf::Instant until() const { return until_; }  // kNever: until something ends
  void ask_anew() { bind_ = mx::Bind::kNothing; }
  void set(const mx::Admission& why) {
    bind_ = why.bind;
    until_ = why.not_before;
  }
  // Of several: whichever is free first.
  void add(const mx::Admission& why) {
    if (!any() || why.not_before < until_) set(why);
  }

  bool in_line() const { return leasing_ || !lines_.empty(); }
  // The lines of counters that are shared with other paths. False: it stands in this one already.
  bool enter(const void* counters) {
    if (stands_in(counters)) return false;
    lines_.push_back(counters);
    return true;
  }
  bool stands_in(const void* counters) const {
    return std::find(lines_.begin(), lines_.end(), counters) != lines_.end();
  }
  void leave(const void* counters) { std::erase(lines_, counters); }
  std::vector<const void*> leave_all() { return std::exchange(lines_, {}); }
  size_t lines() const { return lines_.size(); }
  // The line of those that wait for the counters to reach the disk. False: it stands there already.
  bool enter_leasing() { return !std::exchange(leasing_, true); }
  void leave_leasing() { leasing_ = false; }

 private:
  mx::Bind bind_ = mx::Bind::kNothing;
  conf::Instant until_{};
  std::vector<const void*> lines_;
  bool leasing_ = false;
};

}  // namespace relay::queue
