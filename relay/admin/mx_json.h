// What the relay tells about its limits, as JSON. Pure. Seconds without a known end are null.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "relay/admin/mx_view.h"

namespace relay::admin {

nlohmann::json path_json(const PathView& path);
nlohmann::json explanation_json(const Explanation& explanation);
nlohmann::json limiter_json(const LimiterCounts& counts);
nlohmann::json orders_json(const std::vector<OrderView>& orders);
nlohmann::json order_done_json(const MxOrderDone& done);

}  // namespace relay::admin
