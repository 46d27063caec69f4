// The permission to send under a limit that counts. After a crash the counters on disk are those of the last
// write. So the time of each write stands beside them, nothing that counts goes on when the last one is older
// than kFor, and after a crash the time from it until the end of its lease is taken as used up: no limit is
// broken, whatever was sent in that time. Pure; one thread.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "conf/vocab/time.h"

namespace mx {

class Lease {
 public:
  static constexpr std::string_view kKey = "H";  // where the record of the last write is kept
  static constexpr conf::Duration kPeriod = std::chrono::seconds(2);  // of the writes, while counters change
  static constexpr conf::Duration kFor = std::chrono::seconds(10);

  // Whether what counts may be sent.
  bool valid(conf::Instant now) const { return now < until_; }
  conf::Instant until() const { return until_; }
  // What had been counted until `at`, and the record of that time, have reached the disk.
  void renewed(conf::Instant at) {
    until_ = std::max(until_, at + kFor);
    failing_ = false;
  }
  // The last write did not reach the disk.
  void failed() { failing_ = true; }
  bool failing() const { return failing_; }

  // The record of a write. `last`: nothing is sent after it, an orderly end.
  static std::string record(conf::WallTime wall, bool last);
  // From the record that a new process finds: the time in which nobody knows what was sent, `end` not later
  // than `now`. False after an orderly end. A record that cannot be read, or of a time to come (the wall
  // clock was set back), leaves the last kFor before `now`.
  static bool gap(std::string_view record, conf::WallTime now, conf::WallTime* begin, conf::WallTime* end);

 private:
  conf::Instant until_ = conf::Instant::min();
  bool failing_ = false;
};

}  // namespace mx
