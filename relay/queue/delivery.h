// One delivery: a message and one of its recipient domains. A million of these wait in memory, so it is
// small; the envelope and the body are in the spool until the delivery's turn comes.
#pragma once

#include <cstdint>

#include "conf/vocab/check.h"
#include "conf/vocab/envelope.h"
#include "conf/vocab/intrusive_list.h"
#include "conf/vocab/time.h"
#include "relay/queue/body_size.h"
#include "relay/queue/delivery_state.h"

namespace relay::queue {

struct Message;
struct Path;

struct Delivery {
  conf::MessageId id = 0;
  conf::Instant due;            // scheduled: when; later: since when it is due
  Delivery* sibling = nullptr;  // next delivery of the same message
  Delivery* sibling_before = nullptr;
  Message* message = nullptr;  // pinned by this delivery; null: not in memory
  Path* path = nullptr;        // where it is ready or being sent
  conf::ListHook<Delivery> hook;
  Delivery* arrived_before = nullptr;  // neighbours in the order of arrival of a ReadyQueue
  Delivery* arrived_after = nullptr;
  uint32_t domain = 0;  // in the DomainTable
  uint32_t sender = 0;  // whose turn it is: see sender.h
  union {
    uint32_t heap_index = 0;  // while it is scheduled
    uint32_t dns_micros;      // on its way: how long it waited for its route
  };
  uint16_t stream = 0;           // in the StreamTable
  uint16_t attempt = 0;          // made since the start, or that its schedule counts, whichever are more
  uint16_t last_reply = 0;       // in LastReplies: what its last attempt brought
  uint16_t greylisted_from = 0;  // number of a source (StreamTable): its last attempt was greylisted
  DeliveryState state : 4 = DeliveryState::kNew;
  uint8_t free_tries : 4 = 0;    // in a row that did not count: something of the connection was wrong
  uint8_t first_tries = 0;       // made of its RetrySchedule; forgotten by a restart
  BodySize size;                 // of its message
  bool hold_wanted : 1 = false;  // becomes kHeld when the work under way ends
  bool drop_wanted : 1 = false;
  bool fail_wanted : 1 = false;  // an operator gave it up: it ends like a refusal, with a report
  bool all_due : 1 = false;      // an operator said retry: recipients whose time has not come are tried too
  bool first_try_next : 1 = false;  // what is scheduled next is one of its first tries
  bool wait_told : 1 = false;       // since it was scheduled: what keeps it back stands in the log
  bool attempted : 1 = false;       // the attempt under way is in `attempt`
  bool changed : 1 = false;         // what became of its recipients is newer in memory than in the spool

  // The wish to hold it is taken up: whether there was one.
  bool take_hold_wanted() {
    const bool wanted = hold_wanted;
    hold_wanted = false;
    return wanted;
  }
  // The only writer of `state`; ends the process when the table of steps does not have it.
  void move_to(DeliveryState to) {
    CHECK(may_follow(state, to));
    state = to;
  }
};
static_assert(sizeof(Delivery) <= 104, "a million deliveries wait in memory");

using DeliveryList = conf::IntrusiveList<Delivery, &Delivery::hook>;

}  // namespace relay::queue
