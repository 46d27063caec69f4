// The mail that waits on paths (Path::ready): comes, is taken by a connection, or goes back to the walk when
// its validity is over. Keeps shared lines and the work list told, and is the one writer of what a path says
// of when to look for expired mail, besides the BackOff. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "relay/flow/back_off.h"
#include "relay/flow/dispatcher_user.h"
#include "relay/flow/flow_state.h"
#include "relay/flow/path.h"
#include "relay/flow/shared_lines.h"
#include "relay/flow/work_list.h"
#include "relay/queue/delivery.h"
#include "relay/queue/message_cache.h"

namespace relay {

class WaitingMail {
 public:
  struct Parts {  // borrowed
    const FlowState* flow = nullptr;
    DispatcherUser* user = nullptr;
    queue::MessageCache* messages = nullptr;
    const BackOff* back_off = nullptr;
    SharedLines* lines = nullptr;
    WorkList* work = nullptr;
  };
  explicit WaitingMail(Parts parts) : parts_(parts) {}

  // Becomes kReady, at the end of the path.
  void add(queue::Delivery* delivery, queue::Path* path);
  // Becomes kReady, before all others of the path that it came from.
  void add_first(queue::Delivery* delivery);
  // kReady -> with the caller; it has no path any more.
  void remove(queue::Delivery* delivery);
  // The next in turn, of this sender or of any; it is with the caller, and of its path still. Null: none, or
  // it is on disk and there is no room for it: then it keeps its place, and its path waits (PathHolds).
  queue::Delivery* take(queue::Path* path, std::optional<uint32_t> sender);

  // A part of what is due: expired mail goes back to the walk (Report::kExpired), and mail that has waited
  // long for a path that fails is told of. Goes over all that waits in order of arrival, and not oftener than
  // once a minute for a path: 1,000,000 deliveries that expire together cost one round, not one for each
  // part.
  void expire(queue::Path* path, conf::Instant now);
  static bool expiry_is_due(const queue::Path& path, conf::Instant now);
  // When expire() is to be called for the path, which has mail.
  static conf::Instant next_expiry(const queue::Path& path, conf::Instant now);

  size_t size() const { return size_; }  // on all paths

 private:
  void entered(queue::Path* path, const queue::Delivery& delivery);
  void left(queue::Path* path, const queue::Delivery& delivery);
  void tell_long_wait(queue::Path* path, queue::Delivery* delivery, conf::Instant now);

  Parts parts_;
  size_t size_ = 0;
};

}  // namespace relay
