// What keeps new messages of one path alone back, whatever is counted: people, reply rules, and the relay's
// own memory. Loop thread.
#pragma once

#include <string>
#include <utility>

#include "conf/vocab/time.h"

namespace relay::queue {

class PathHolds {
 public:
  // By an operator's order. Written by the orders (LimitOrders and its parts), ended by the PathGate.
  bool ordered(conf::Instant now) const { return ordered_until_ > now; }
  conf::Instant ordered_until() const { return ordered_until_; }
  // An order that has ended, and is still to be told so.
  bool has_ended_order(conf::Instant now) const { return ordered_until_ != conf::Instant{} && !ordered(now); }
  void order_until(conf::Instant when) { ordered_until_ = when; }
  void end_order() { ordered_until_ = {}; }

  // By a reply rule. Written by PathActs, and for a source that is left out by the SiteTable.
  bool paused(conf::Instant now) const { return paused_until_ > now; }
  conf::Instant paused_until() const { return paused_until_; }
  const std::string& paused_by() const { return paused_by_; }  // in words: "paused by reply rule \"busy\""
  // The longest holds, and whoever asks hears by what.
  void pause_until(conf::Instant when, std::string by) {
    if (paused_until_ >= when) return;
    paused_until_ = when;
    paused_by_ = std::move(by);
  }

  // The next message is on disk and finds no room in memory (MessageCache): it is asked for again then.
  // Written by WaitingMail.
  bool lacks_memory(conf::Instant now) const { return memory_until_ > now; }
  conf::Instant memory_until() const { return memory_until_; }
  void lack_memory_until(conf::Instant when) { memory_until_ = when; }

 private:
  conf::Instant ordered_until_{};
  conf::Instant paused_until_{};
  std::string paused_by_;
  conf::Instant memory_until_{};
};

}  // namespace relay::queue
