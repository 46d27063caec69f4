#include "mx/limits/admission.h"

namespace mx {

const char* to_text(Bind bind) {
  switch (bind) {
    case Bind::kNothing:
      return "nothing";
    case Bind::kBlocked:
      return "blocked";
    case Bind::kProbing:
      return "probes after a block";
    case Bind::kRamp:
      return "the ramp after a block";
    case Bind::kSlowed:
      return "the receiver asked us to slow down";
    case Bind::kBackOff:
      return "waits after a failed connection";
    case Bind::kQuota:
      return "messages_per_hour";
    case Bind::kRate:
      return "rate";
    case Bind::kAdaptive:
      return "the learned rate";
    case Bind::kWarmUp:
      return "the warm-up ladder";
    case Bind::kConnections:
      return "max_connections";
    case Bind::kWindow:
      return "the concurrency that its replies allow";
    case Bind::kPerConnection:
      return "max_messages_per_connection";
    case Bind::kTotal:
      return "max_outbound_connections";
    case Bind::kLease:
      return "the counters are not on disk yet";
    case Bind::kRecording:
      return "results cannot be recorded in the spool";
    case Bind::kMemory:
      return "body_memory: no room for the next message";
  }
  return "unknown";
}

}  // namespace mx
