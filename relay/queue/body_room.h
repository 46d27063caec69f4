// Room in memory for bodies, within a budget. Two kinds share it: those that came in a moment ago and are
// kept until their first attempt, which may take three quarters; and those that are read back from the spool
// to be sent, which may take whatever is left.
//
// A body is read back where four times its size is free, so that a few big ones to slow receivers leave room
// for the many small ones; above a sixteenth of the budget, where three sixteenths are left. Whoever waits
// long goes before those of his size. One such big body at a time may go though it does not fit, and counts
// as a sixteenth: all of them together take no more than the budget and the biggest body. Pure.
#pragma once

#include <cstdint>

#include "conf/vocab/envelope.h"
#include "conf/vocab/time.h"

namespace relay::queue {

class BodyRoom {
 public:
  // What a body takes of it; to be given back. In octets.
  struct Share {
    uint64_t kept = 0;
    uint64_t read = 0;
    bool on_top = false;
  };

  explicit BodyRoom(uint64_t budget_octets) : budget_(budget_octets) {}
  void set_budget(uint64_t octets) { budget_ = octets; }

  // A message that comes in. `used`: all that messages take in memory, their records too.
  bool may_keep(uint64_t octets, uint64_t used) const;
  Share keep(uint64_t octets);

  // The body of this message, to be sent. False: it is to be asked again soon, and whoever does not ask for
  // two seconds has given up.
  bool may_read(conf::MessageId id, uint64_t octets, conf::Instant now);
  Share read(uint64_t octets);  // takes it, whatever may_read() says

  void give_back(Share* share);

 private:
  // The one that has been refused for longest.
  struct Waiter {
    conf::MessageId id = 0;
    uint64_t needs = 0;  // when it is next
    conf::Instant since{}, asked{};
  };
  uint64_t big() const { return budget_ / 16; }
  uint64_t used() const;
  bool find_room(conf::MessageId id, uint64_t octets, conf::Instant now) const;

  uint64_t budget_;
  uint64_t kept_ = 0, read_ = 0;
  uint32_t on_top_ = 0;  // being read or sent
  Waiter eldest_;
};

}  // namespace relay::queue
