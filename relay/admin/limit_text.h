// The values that hold for a path in words, each with where it comes from. Pure.
#pragma once

#include <vector>

#include "conf/config.h"
#include "mx/rules/path_limits.h"
#include "mx/rules/rule_book.h"
#include "relay/admin/mx_view.h"

namespace relay::admin {

const char* to_text(conf::RuleScope scope);    // "path", "source", "pool"
const char* to_text(conf::AdaptiveMode mode);  // "off", "advise", "on"
// `rule` may be null.
std::vector<LimitView> limit_views(const mx::Rule* rule, const mx::PathLimits& limits,
                                   const conf::DestinationSettings& settings);

}  // namespace relay::admin
