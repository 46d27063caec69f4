// Opens connections: as many for a path as its limits, its back-off, its login and the relay's own limit
// allow, so many in each step. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "mx/limits/admission.h"
#include "relay/flow/back_off.h"
#include "relay/flow/connections.h"
#include "relay/flow/flow_state.h"
#include "relay/flow/hosts.h"
#include "relay/flow/logins.h"
#include "relay/flow/path.h"
#include "relay/flow/path_gate.h"
#include "relay/flow/work_list.h"

namespace relay {

class Opener {
 public:
  struct Parts {  // borrowed
    const FlowState* flow = nullptr;
    Network* network = nullptr;
    OutboundConnection::Owner* owner = nullptr;  // of what is opened
    PathGate* gate = nullptr;
    Hosts* hosts = nullptr;
    Logins* logins = nullptr;
    BackOff* back_off = nullptr;
    Connections* connections = nullptr;
    WorkList* work = nullptr;
    std::function<void(queue::Path*)> failing;  // the path leads nowhere; may be null
  };
  explicit Opener(Parts parts) : parts_(std::move(parts)) {}

  void begin_step();
  bool may_go_on() const { return left_ > 0; }  // in this step

  // For the mail of a path that is counted by itself. What keeps it from more it says to the gate, or the
  // path is marked or starves.
  void open_for(queue::Path* path, conf::Instant now);
  // One for a path of a shared line, which asked the limits itself. `early`: it is opened before its message
  // may go. False: the path has no address, and backs off.
  bool open_one(queue::Path* path, bool early, conf::Instant now);
  // All connections that the path may have rest, at hosts that take nothing now, and another host would: one
  // of them ends, or the path waits until it has rested long enough for that.
  void move_on(queue::Path* path, conf::Instant now);
  // When that connection ends, if mail were to wait; kNever: none does.
  conf::Instant moves_at(queue::Path* path, conf::Instant now) const;
  // A connection of the path could be opened now, as far as its limits say.
  bool could_open(queue::Path* path, conf::Instant now) const;
  // The path has to wait for a connection of the relay (kTotal), or for the end of a pause (kRecording).
  void starve(queue::Path* path, mx::Bind bind);

 private:
  struct Choice {
    std::vector<Target> targets;          // that may be connected to now, the best first
    std::vector<mx::Admission> refusals;  // why the others may not
    // Counters of the others that are booked up (PathGate), where connections are opened that take what may
    // go.
    std::vector<mx::Traffic*> booked;
    uint32_t budget = 0;  // how many transactions could begin at once
    bool must_wait() const { return targets.empty() && !(refusals.empty() && booked.empty()); }
  };
  Choice choice_for(queue::Path* path, conf::Instant now) const;
  void wait(queue::Path* path, const Choice& choice, conf::Instant now);
  Choice early_choice_for(queue::Path* path, conf::Instant now) const;
  void open(queue::Path* path, std::vector<Target> targets, bool early, conf::Instant now);
  void no_address(queue::Path* path, conf::Instant now);

  Parts parts_;
  size_t left_ = 0;  // openings in this step
};

}  // namespace relay
