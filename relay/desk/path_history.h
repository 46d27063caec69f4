// What is remembered about paths, for people. All is borrowed.
#pragma once

#include "relay/desk/decision_history.h"
#include "relay/desk/flow_rates.h"

namespace relay {

struct PathHistory {
  const DecisionHistory* decisions = nullptr;
  const FlowRates* flow = nullptr;
};

}  // namespace relay
