// The journal of the relay: numbers each event and hands it to the feeds. It keeps no event itself: what a
// feed must not lose it keeps on its own side of take(). Numbers begin with 1 at each start of the relay.
// Loop thread.
#pragma once

#include <cstdint>
#include <vector>

#include "conf/vocab/event.h"
#include "relay/journal/feed.h"

namespace relay::journal {

class Journal {
 public:
  // `feed` is borrowed and outlives the journal, or is taken out before it goes. It hears of what comes from
  // now on, and answers only for that: what came before it does not hold back.
  void add(Feed* feed);
  void remove(Feed* feed);

  uint64_t append(const conf::DeliveryEvent& event);  // returns the event's number
  uint64_t last() const { return last_; }             // number of the latest event; 0: none yet
  // Every feed that gates removal is done with the events up to here: what they are about may leave the
  // spool.
  uint64_t through() const;
  uint64_t waiting() const { return last_ - through(); }

 private:
  struct Attached {
    Feed* feed = nullptr;
    uint64_t from = 0;  // it takes what comes after this number
  };
  std::vector<Attached> feeds_;
  uint64_t last_ = 0;
};

}  // namespace relay::journal
