// What the Dispatcher asks and tells of deliveries: the Transit answers.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "mx/limits/decision.h"
#include "relay/flow/path.h"
#include "relay/journal/attempt.h"
#include "relay/queue/delivery.h"
#include "relay/smtp/transaction.h"

namespace relay {

class DispatcherUser {
 public:
  virtual ~DispatcherUser() = default;
  // Which recipients of the delivery (indices in its record) are to be tried now; none: nothing to do.
  virtual std::vector<uint32_t> recipients_now(queue::Delivery* delivery) = 0;
  // Whether the message of the delivery may be sent as it is. False: `then` is called later; an error says
  // why it must wait.
  virtual bool ready_to_send(queue::Delivery* delivery, std::function<void(conf::Status)> then) = 0;
  // Back with the user, pinned: its message must not be sent now.
  virtual void not_ready(queue::Delivery* delivery, const conf::Error& why, const AttemptFacts& facts) = 0;
  // One transaction is over. The delivery is still with the dispatcher.
  virtual void transaction_over(queue::Delivery* delivery, const std::vector<uint32_t>& recipients,
                                const std::vector<smtp::RecipientOutcome>& outcomes,
                                const AttemptFacts& facts) = 0;
  // The delivery is back with the user, pinned: all that could be tried was tried.
  virtual void delivery_over(queue::Delivery* delivery) = 0;
  // Back with the user, perhaps not pinned: its path fails, and it waited long enough.
  virtual void path_gave_up(queue::Delivery* delivery, const queue::PathError& error,
                            const AttemptFacts& facts) = 0;
  // Back with the user, perhaps not pinned: it waited for its path until its validity was over.
  virtual void expired(queue::Delivery* delivery, const AttemptFacts& facts) = 0;
  // When the validity of the delivery, under these settings, is over.
  virtual conf::Instant expiry(const queue::Delivery& delivery,
                               const conf::DestinationSettings& settings) = 0;
  // The limiter of the path decided something.
  virtual void decided(const queue::Path& path, const std::vector<mx::Decision>& decisions) = 0;
  // Back with the user, not pinned: the spool could not give the message.
  virtual void load_failed(queue::Delivery* delivery, const conf::Error& why) = 0;
};

}  // namespace relay
