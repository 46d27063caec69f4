#include "relay/queue/delivery_state.h"

#include <cstddef>
#include <iterator>

#include "conf/vocab/state_table.h"

namespace relay::queue {

namespace {

using S = DeliveryState;

constexpr auto set = [](auto... states) { return conf::state_set(states...); };

struct Row {
  S from;
  uint32_t to;
  const char* text;
};

// kLoading follows wherever a verdict of ours (no route, expired, dropped) needs the record.
constexpr Row kRows[] = {
    {S::kNew, set(S::kScheduled, S::kRouting, S::kReady, S::kLoading, S::kSettling, S::kHeld, S::kPaused),
     "new"},
    {S::kScheduled, set(S::kScheduled, S::kRouting, S::kReady, S::kLoading, S::kHeld, S::kPaused),
     "scheduled"},
    {S::kRouting, set(S::kRouting, S::kReady, S::kLoading, S::kScheduled, S::kHeld, S::kPaused), "routing"},
    {S::kReady, set(S::kLoading, S::kRouting, S::kReady, S::kScheduled, S::kHeld, S::kPaused), "ready"},
    {S::kLoading,
     set(S::kLoading, S::kSending, S::kSettling, S::kScheduled, S::kRouting, S::kReady, S::kHeld, S::kPaused),
     "loading"},
    {S::kSending, set(S::kSettling, S::kLoading, S::kScheduled, S::kRouting, S::kReady, S::kHeld, S::kPaused),
     "sending"},
    {S::kSettling, set(S::kLoading, S::kScheduled, S::kRouting, S::kReady, S::kHeld, S::kPaused), "settling"},
    {S::kHeld, set(S::kLoading, S::kScheduled, S::kRouting, S::kReady, S::kPaused), "held"},
    {S::kPaused, set(S::kLoading, S::kScheduled, S::kRouting, S::kReady, S::kHeld), "paused"},
};

static_assert(conf::rows_in_order(kRows) && std::size(kRows) == kDeliveryStates,
              "the table is indexed by the state");

const Row& row(S state) { return kRows[static_cast<size_t>(state)]; }

}  // namespace

bool may_follow(DeliveryState from, DeliveryState to) { return (row(from).to & set(to)) != 0; }
const char* to_text(DeliveryState state) { return row(state).text; }

}  // namespace relay::queue
