// What became of the recipients of a rule or of a source since the start, and how long it took.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace conf {

struct HistogramCounts {
  std::vector<double> bounds;    // seconds, each within its bucket; rising
  std::vector<uint64_t> counts;  // of each bucket alone; the last, beyond all bounds, is one more
  double sum_seconds = 0;
};

struct ResultCounts {
  std::string name;  // of the rule or source; "none": there was none; "other": of those that found no room
  uint64_t delivered = 0, failed = 0, expired = 0;  // recipients
  uint64_t deferred = 0;                            // attempts, of one recipient each
  uint64_t held_back = 0;                           // the same without an attempt: a block
  HistogramCounts delivery;                         // from acceptance until delivered
  HistogramCounts transaction;                      // of an attempt: from MAIL until the last reply
};

}  // namespace conf
