// Hears what servers say about recipients, before it is settled: the quarantine.
#pragma once

#include "conf/vocab/time.h"
#include "relay/journal/attempt.h"
#include "relay/smtp/transaction.h"
#include "relay/spool/spool.h"

namespace relay {

class Witness {
 public:
  virtual ~Witness() = default;
  // One try of one recipient, with the answer of a server. `recipient` counts the tries before it. True: the
  // refusal is not believed for now; it is settled as Soft. Must answer from memory. `now` is of the
  // calendar. Loop thread.
  virtual bool doubts(const spool::MessageRecord& record, const spool::RecipientRecord& recipient,
                      const smtp::RecipientOutcome& outcome, const AttemptFacts& facts,
                      conf::WallTime now) = 0;
  // At the start: a message that was in the spool, with what became of its recipients.
  virtual void recovered(const spool::MessageRecord& record, conf::WallTime now) = 0;
};

}  // namespace relay
