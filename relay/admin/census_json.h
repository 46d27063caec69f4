// Mail that waits, as JSON. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "relay/admin/census.h"
#include "relay/admin/delivery_view.h"

namespace relay::admin {

nlohmann::json waiting_json(const Waiting& waiting);
nlohmann::json waiting_json(const std::vector<Waiting>& groups);
nlohmann::json delivery_json(const DeliveryView& view);
// The delivery to the domain of `recipient`; null when there is none.
nlohmann::json delivery_to(const std::vector<DeliveryView>& views, const std::string& recipient);

// How the delivery to the recipient stands, into `*out` as "delivery", and its attempts into `*recipient`.
void add_delivery(const std::vector<DeliveryView>& stand, nlohmann::json* out, nlohmann::json* recipient);

}  // namespace relay::admin
