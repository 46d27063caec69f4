// Where a path stands in the lists of the WorkList, which alone writes it. Loop thread.
#pragma once

#include <cstdint>

#include "conf/vocab/time.h"

namespace relay {
class WorkList;
}  // namespace relay

namespace relay::queue {

class WorkEntry {
 public:
  bool marked() const { return marked_; }    // it is worked on with the next step
  bool starves() const { return starves_; }  // waits for max_outbound_connections, or the end of a pause
  bool in_a_list() const { return marked_ || starves_ || wake_ != conf::kNever; }
  // It sent under counters that others share: of those that wake at the same instant they are next.
  void let_others_first() { had_turn_ = true; }

 private:
  friend class relay::WorkList;
  bool marked_ = false;
  bool starves_ = false;
  bool had_turn_ = false;
  conf::Instant wake_ = conf::kNever;  // it is marked then
  uint64_t turn_ = 0;                  // ... among those of the same instant
};

}  // namespace relay::queue
