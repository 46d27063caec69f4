// The end of the walk: a message leaves the spool when its last event is through the journal, so that no feed
// that gates removal ever misses an end. When a feed stands still for a while (a full log disk), the final
// states go to the spool meanwhile: a restart then does not deliver again. See docs/adr/0002. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "conf/vocab/time.h"
#include "relay/journal/journal.h"
#include "relay/queue/message_cache.h"
#include "relay/spool/spool.h"

namespace relay {

class Retirement {
 public:
  Retirement(const journal::Journal* journal, spool::Spool* spool, queue::MessageCache* messages)
      : journal_(journal), spool_(spool), messages_(messages) {}

  // All recipients of the message are final, and what there was to say is in the journal. Takes over one pin.
  void add(queue::Message* message, conf::Instant now);
  // O(what leaves, and what is written down), and bounded: entries that only wait are not looked at.
  void step(conf::Instant now);
  conf::Instant next_wake() const;
  // What may leave leaves; the final states of the rest are written down, and a restart says their ends
  // again.
  void close();
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Finished {
    uint64_t sequence = 0;  // of its last event
    conf::MessageId id = 0;
    queue::Message* message = nullptr;  // null: its final state is written down
    conf::Instant since{};
  };
  void remove_first();
  void write_down(Finished* finished);

  const journal::Journal* journal_;
  spool::Spool* spool_;
  queue::MessageCache* messages_;
  std::deque<Finished> waiting_;  // in the order of their end
  size_t written_down_ = 0;       // so many of them from the front
  bool more_ = false;             // leave at once, in the next step
};

}  // namespace relay
