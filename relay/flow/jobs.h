// What connections do for deliveries: a connection that is free takes the next one of its path, asks the walk
// for its errands, sends them, and hands the delivery back. Decides nothing about messages: the walk does.
// Nothing is allocated for a message here but what the walk's later answer needs. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "relay/flow/connections.h"
#include "relay/flow/dispatcher_user.h"
#include "relay/flow/flow_state.h"
#include "relay/flow/hosts.h"
#include "relay/flow/path_gate.h"
#include "relay/flow/waiting_mail.h"
#include "relay/flow/work_list.h"

namespace relay {

class Jobs {
 public:
  struct Parts {  // borrowed
    const FlowState* flow = nullptr;
    DispatcherUser* user = nullptr;
    PathGate* gate = nullptr;
    const Hosts* hosts = nullptr;
    Connections* connections = nullptr;
    WaitingMail* mail = nullptr;
    WorkList* work = nullptr;
  };
  explicit Jobs(Parts parts) : parts_(parts) {}

  // The mail of a path that is counted by itself goes over its connections that rest.
  void use_resting(queue::Path* path, conf::Instant now);
  void end_outdated(queue::Path* path);  // see Dispatcher
  // The connection, which has no job, takes a delivery of its path, or rests, or quits. On a shared line that
  // others want it rests: the line says who is next.
  void take_next(Slot* slot);
  // The same, of this sender or whose turn it is, and whatever others want. The limits were asked and say
  // yes.
  void take(Slot* slot, std::optional<uint32_t> sender);
  // The connection is ready again: what is left of its delivery goes first.
  void go_on(Slot* slot);

  // The running transaction is over; `outcomes` have their meaning.
  void report(Slot* slot, std::vector<smtp::RecipientOutcome> outcomes);
  // Its connection is gone, or must not begin it any more: the delivery, if any, goes back to the walk.
  void drop(Slot* slot);

  size_t running() const { return running_; }

 private:
  bool is_done(const Slot& slot) const;
  bool gives_way(const Slot& slot, conf::Instant now);
  bool may_take(Slot* slot);  // false: the connection quits, or waits for a limit
  // These two: false when the delivery is gone.
  bool begin(Slot* slot, queue::Delivery* delivery);
  bool ask(Slot* slot);  // for the next errand of its delivery
  void answered(uint64_t number, OutboundConnection* connection, queue::Delivery* delivery,
                std::optional<Errand> errand);
  void send(Slot* slot, Errand errand);
  void release(Slot* slot);  // its delivery goes back to the walk
  void forget(Slot* slot);
  AttemptFacts facts_of(const Slot& slot) const;

  Parts parts_;
  size_t running_ = 0;
};

}  // namespace relay
