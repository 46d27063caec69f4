#include "conf/vocab/site_decision.h"

namespace conf {

const char* to_text(DecisionAction action) {
  switch (action) {
    case DecisionAction::kBlock:
      return "block";
    case DecisionAction::kProbe:
      return "probe";
    case DecisionAction::kRamp:
      return "ramp";
    case DecisionAction::kOpen:
      return "open";
    case DecisionAction::kUnblock:
      return "unblock";
    case DecisionAction::kReset:
      return "reset";
    case DecisionAction::kSlow:
      return "slow";
    case DecisionAction::kAdapt:
      return "adapt";
    case DecisionAction::kAdvise:
      return "advise";
    case DecisionAction::kWarmUp:
      return "warmup";
    case DecisionAction::kVoid:
      return "void";
  }
  return "unknown";
}

}  // namespace conf
