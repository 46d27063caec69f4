// Works on shared lines (shared_line.h): who of the paths that are counted together sends, who opens a
// connection, and which connection makes room for another path. Loop thread.
#pragma once

#include "mx/limits/admission.h"
#include "relay/flow/connections.h"
#include "relay/flow/flow_state.h"
#include "relay/flow/jobs.h"
#include "relay/flow/logins.h"
#include "relay/flow/opener.h"
#include "relay/flow/path_gate.h"
#include "relay/flow/shared_lines.h"

namespace relay {

class LineTurns {
 public:
  struct Parts {  // borrowed
    const FlowState* flow = nullptr;
    PathGate* gate = nullptr;
    SharedLines* lines = nullptr;
    Connections* connections = nullptr;
    const Logins* logins = nullptr;
    Opener* opener = nullptr;
    Jobs* jobs = nullptr;
  };
  explicit LineTurns(Parts parts) : parts_(parts) {}

  // Works on the lines whose time has come or that are marked, some in each step, while the opener may go on.
  void step(conf::Instant now);

 private:
  using LinePtr = SharedLines::LinePtr;

  OutboundConnection* resting_of(const queue::Path& path) const;
  OutboundConnection* any_resting(const LinePtr& line, conf::Instant now);
  mx::Admission may_send(OutboundConnection* resting) const;
  static bool goes_on(const mx::Admission& admission);
  void work(const LinePtr& line, conf::Instant now);
  void make_room(const LinePtr& line, conf::Instant now);
  void send_in_turn(const LinePtr& line, conf::Instant now);
  bool open_in_turn(const LinePtr& line, bool first, conf::Instant now);
  void wait(const LinePtr& line, queue::Path* path, const mx::Admission& why);

  Parts parts_;
};

}  // namespace relay
