// A feed takes every event of the journal and brings it to somebody: the delivery log to a file, the metrics
// to counters, others to the network.
#pragma once

#include <cstdint>

#include "conf/vocab/event.h"

namespace relay::journal {

enum class FeedClass : uint8_t {
  kGatesRemoval,  // a message stays in the spool until this feed has its last event for good
  kBestEffort,    // a feed that is behind, or loses events, holds nobody up
};

class Feed {
 public:
  virtual ~Feed() = default;
  virtual FeedClass feed_class() const = 0;
  // Called on the loop's thread, in the order of the numbers and without a gap from the first one on. Must
  // not wait: what cannot go at once is kept in a buffer with a bound of its own. Borrowed for the call.
  virtual void take(uint64_t sequence, const conf::DeliveryEvent& event) = 0;
  // The cursor: the feed is done with all events up to this number (0: with none). Never falls. Any thread.
  // A feed that gives events up must say so loudly and move on: a cursor that stands for ever would keep
  // every finished message in the spool.
  virtual uint64_t through() const = 0;
};

}  // namespace relay::journal
