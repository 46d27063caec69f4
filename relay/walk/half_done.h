// Messages some of whose recipients have ended while others are still under way: what is known goes to the
// spool soon, and not only when the last transaction of the attempt is over, which a slow server makes last
// for many minutes. A crash meanwhile would have the others written to again. Loop thread.
#pragma once

#include <chrono>
#include <deque>

#include "conf/vocab/envelope.h"
#include "conf/vocab/time.h"

namespace relay {

class HalfDone {
 public:
  static constexpr conf::Duration kPatience = std::chrono::seconds(1);

  void add(conf::MessageId id, conf::Instant now) {
    if (waiting_.empty() || waiting_.back().id != id) waiting_.push_back({id, now});
  }
  // Calls `write` for each that has waited long enough.
  template <typename Write>
  void step(conf::Instant now, const Write& write) {
    for (; !waiting_.empty() && next_wake() <= now; waiting_.pop_front()) write(waiting_.front().id);
  }
  conf::Instant next_wake() const {
    return waiting_.empty() ? conf::kNever : waiting_.front().since + kPatience;
  }

 private:
  struct Waiting {
    conf::MessageId id = 0;
    conf::Instant since{};
  };
  std::deque<Waiting> waiting_;  // in the order of time
};

}  // namespace relay
