// The limits that hold on a path, resolved: the values of its rule over the settings of its destination.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "conf/config.h"
#include "conf/mx_rule.h"
#include "mx/rules/rule_book.h"

namespace mx {

struct PathLimits {
  conf::RuleScope scope = conf::RuleScope::kSource;
  bool one_site = false;  // all sites under the rule share their counters
  uint32_t max_connections = 20;
  uint32_t min_connections = 1;
  uint32_t max_messages_per_connection = 0;  // 0: no limit
  uint32_t messages_per_hour = 0;            // 0: no limit
  bool smooth = false;
  conf::RuleRate rate;  // no events: no limit
  std::vector<conf::RuleThreshold> thresholds;
  conf::AdaptiveMode adaptive = conf::AdaptiveMode::kOff;
  uint32_t adaptive_min_per_hour = 0;
  uint32_t adaptive_max_per_hour = 0;
  std::vector<uint32_t> warmup;  // messages a day, step by step; empty: the source is not new
  uint32_t warmup_hold_ppm = 50'000;
};
using PathLimitsPtr = std::shared_ptr<const PathLimits>;

// `rule` may be null: then the settings of the destination hold, and nothing else limits. A value of a
// shipped rule only lowers a limit of the destination, for the destination is the operator's own word; a
// local rule may raise it. `new_source`: the ladder of the rule holds for the source of the path ([[source]]
// warmup).
PathLimits limits_for(const Rule* rule, const conf::DestinationSettings& base, bool new_source = false);
// What a session and the retry schedule need, by the same order.
conf::DestinationSettings settings_with(const Rule* rule, const conf::DestinationSettings& base);

}  // namespace mx
