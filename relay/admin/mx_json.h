// What the relay tells about its limits, as JSON. Pure. Seconds without a known end are null.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "relay/admin/mx_view.h"

namespace relay::admin {

nlohmann::json path_json(const PathView& path);
nlohmann::json explanation_json(const Explanation& explanation);
nlohmann::json limiter_json(const LimiterCounts& counts);
// Which of `orders` keeps the mail of each of these streams back, of several the one that ends last, and how
// often the stream is there ("" counts for nothing): [{"stream", "messages", "order"}].
nlohmann::json paused_json(const std::vector<std::string>& streams, const std::vector<OrderView>& orders);
nlohmann::json orders_json(const std::vector<OrderView>& orders);
nlohmann::json order_done_json(const MxOrderDone& done);

}  // namespace relay::admin
