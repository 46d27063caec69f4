// The one place before a recipient is routed, and again before it is sent to, where somebody may say no: an
// address in quarantine, a list of the operator.
#pragma once

#include <memory>
#include <optional>

#include "bounce/reply.h"
#include "conf/vocab/address_notice.h"
#include "relay/spool/spool.h"

namespace relay {

class Veto {
 public:
  struct Refusal {
    // Made by us, and settled as one of the stage kLocal (5yz: the recipient fails; 4yz: it is tried again by
    // the schedule).
    bounce::Reply reply;
    std::shared_ptr<const conf::AddressNotice> notice;  // for the log; kLogged: no report is sent. Or null
  };
  virtual ~Veto() = default;
  // Why nothing may be sent to this recipient. Nothing: it may be sent to. Must answer from memory, and may
  // be asked more than once. Loop thread.
  virtual std::optional<Refusal> refuses(const spool::MessageRecord& record,
                                         const spool::RecipientRecord& recipient) const = 0;
  // What refuses() said a moment ago is being settled: once for each recipient.
  virtual void carried_out(const spool::MessageRecord& record, const spool::RecipientRecord& recipient) = 0;
};

}  // namespace relay
