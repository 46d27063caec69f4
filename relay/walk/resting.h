// Where deliveries rest: scheduled until they are due, held until an operator releases them, or paused while
// an order keeps their stream back. What rests is not in memory but for these hundred bytes. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "conf/vocab/time.h"
#include "relay/flow/stream_table.h"
#include "relay/queue/message_cache.h"
#include "relay/queue/scheduled.h"
#include "relay/walk/signing.h"

namespace relay {

class Resting {
 public:
  // When the validity of a delivery is over, whatever path it would take.
  using End = std::function<conf::Instant(const queue::Delivery&)>;
  // All are borrowed. Each delivery in here is owned elsewhere and is taken out before it goes.
  Resting(queue::MessageCache* messages, const queue::StreamTable* streams, Signing* signing, End end)
      : messages_(messages), streams_(streams), signing_(signing), end_(std::move(end)) {}

  // A message that was read back does not wait in a line: it leaves memory, and is read again in its turn.
  void leave_memory(queue::Delivery* delivery);
  void schedule(queue::Delivery* delivery);  // becomes kScheduled, until delivery->due
  void hold(queue::Delivery* delivery);      // becomes kHeld
  void pause(queue::Delivery* delivery);     // becomes kPaused, while StreamTable holds its stream
  // The earliest that is due, or else one whose stream is held no more, taken out; null: there is none.
  queue::Delivery* next_due(conf::Instant now);
  // Of what is paused some whose validity is over, taken out. Goes over all that is paused, in parts, and
  // once a minute at most.
  std::vector<queue::Delivery*> take_over_age(conf::Instant now);
  void look_again() { look_at_ = {}; }  // what StreamTable holds is another thing now
  // Out of where it rests. False: it does not rest here.
  bool take_out(queue::Delivery* delivery);

  conf::Instant next_wake() const;
  size_t scheduled() const { return scheduled_.size(); }
  size_t held() const { return held_; }
  size_t paused() const { return paused_; }

 private:
  struct OfStream {
    queue::DeliveryList mail;
    queue::Delivery* next_look = nullptr;  // of the round that looks for what is over-age
  };
  using Streams = std::map<uint16_t, OfStream>;
  bool look_for_ends(OfStream* stream, conf::Instant now, size_t* looks, std::vector<queue::Delivery*>* over);
  void lay_down(queue::Delivery* delivery);
  void take_from_stream(queue::Delivery* delivery);
  queue::Delivery* next_of_stream(conf::Instant now);

  queue::MessageCache* messages_;
  const queue::StreamTable* streams_;
  Signing* signing_;
  End end_;
  queue::Scheduled scheduled_;
  size_t held_ = 0;
  size_t paused_ = 0;
  Streams of_streams_;                      // what is paused; none is empty
  uint16_t next_ = 0;                       // the stream that is looked at next
  conf::Instant look_at_ = conf::kNever;    // whether one is held no more
  conf::Instant first_end_ = conf::kNever;  // of the validity of what is paused: the next round
  conf::Instant next_part_ = conf::kNever;  // of the round; kNever: none is under way
};

}  // namespace relay
