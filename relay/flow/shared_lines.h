// The lines of all paths that are counted together: which path stands in which, and when a line is to be
// worked on. A line lives as long as one of its paths. Loop thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "conf/vocab/time.h"
#include "relay/flow/shared_line.h"

namespace relay {

class SharedLines {
 public:
  using LinePtr = std::shared_ptr<SharedLine>;

  // Puts the path, which has no mail, where its limits say: in the line of its counters, or in none.
  // `sources`: how many there are.
  void place(queue::Path* path, size_t sources, conf::Instant now);
  // A connection of the path begins to open, is ready for the first time, ends.
  void begins(queue::Path* path, conf::Instant now);
  void gets_ready(queue::Path* path, conf::Instant now);
  void ends(queue::Path* path, bool was_ready, conf::Instant now);
  void entered(queue::Path* path, const queue::Delivery& delivery, conf::Instant now);
  void left(queue::Path* path, const queue::Delivery& delivery, conf::Instant now);
  void rests(OutboundConnection* connection);
  void rests_no_more(OutboundConnection* connection);

  void mark(const LinePtr& line);  // something may go
  void mark(const queue::Path& path) {
    if (path.shared.line != nullptr) mark(path.shared.line);
  }
  void set_wake(const LinePtr& line, conf::Instant when);
  void wake_due(conf::Instant now);  // those whose time has come are marked
  LinePtr take_marked();             // null: none
  conf::Instant next_wake() const;

 private:
  LinePtr line_of(const std::shared_ptr<mx::Standing>& standing);

  std::unordered_map<const mx::Standing*, std::weak_ptr<SharedLine>> lines_;
  size_t prune_at_ = 64;
  uint32_t last_number_ = 0;
  std::deque<LinePtr> marked_;
  std::map<std::pair<conf::Instant, uint64_t>, LinePtr> wakes_;
  uint64_t turns_ = 0;
};

}  // namespace relay
