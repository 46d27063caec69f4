// The one place before a recipient is routed, and again before it is sent to, where somebody may say no: an
// address in quarantine, a list of the operator.
#pragma once

#include <optional>

#include "bounce/reply.h"
#include "relay/spool/spool.h"

namespace relay {

class Veto {
 public:
  virtual ~Veto() = default;
  // Why nothing may be sent to this recipient: a reply made by us, which is settled as one of the stage
  // kLocal (5yz: the recipient fails; 4yz: it is tried again by the schedule). Nothing: it may be sent to.
  // Must answer from memory. Loop thread.
  virtual std::optional<bounce::Reply> refuses(const spool::MessageRecord& record,
                                               const spool::RecipientRecord& recipient) = 0;
};

}  // namespace relay
