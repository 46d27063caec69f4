// The states of a delivery and the steps between them. A reader learns the product from Transit::advance();
// this table is what it may do.
#pragma once

#include <cstdint>

namespace relay::queue {

enum class DeliveryState : uint8_t {
  kNew,        // made a moment ago; nobody works on it yet
  kScheduled,  // waits for its due time, in Scheduled
  kRouting,    // waits for the route of its domain
  kReady,      // waits for a connection, in the ready list of a path
  kLoading,    // has a connection (or a verdict), waits for its bytes from the spool, or for its signature
  kSending,    // in a transaction, or between two
  kSettling,   // outcomes known; a report is being stored
  kHeld,       // an operator said hold
  kPaused,     // due; an order keeps all mail of its stream back
};
constexpr uint8_t kDeliveryStates = 9;

// Whether a delivery in state `from` may go to `to`.
bool may_follow(DeliveryState from, DeliveryState to);
const char* to_text(DeliveryState state);  // "new", "scheduled", ...

}  // namespace relay::queue
