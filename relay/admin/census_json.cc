#include "relay/admin/census_json.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace relay::admin {

using nlohmann::json;

namespace {

json seconds_json(const std::optional<double>& seconds) { return seconds ? json(*seconds) : json(nullptr); }

}  // namespace

json waiting_json(const Waiting& waiting) {
  json reasons = json::array();
  for (const WaitingReason& reason : waiting.reasons)
    reasons.push_back({{"reason", reason.text},
                       {"count", reason.count},
                       {"next_seconds", seconds_json(reason.next_seconds)}});
  json out = {{"ready", waiting.of(WaitingState::kReady)},
              {"in_flight", waiting.of(WaitingState::kInFlight)},
              {"scheduled", waiting.of(WaitingState::kScheduled)},
              {"on_hold", waiting.of(WaitingState::kHeld)},
              {"routing", waiting.of(WaitingState::kRouting)},
              {"oldest_seconds", waiting.oldest_seconds},
              {"next_attempt_seconds", seconds_json(waiting.next_seconds)},
              {"reasons", std::move(reasons)}};
  if (waiting.other_reasons != 0)
    out["other_reasons"] = {{"reasons", waiting.other_reasons}, {"count", waiting.other_count}};
  if (!waiting.name.empty()) out["name"] = waiting.name;
  return out;
}

json waiting_json(const std::vector<Waiting>& groups) {
  json list = json::array();
  for (const Waiting& group : groups) list.push_back(waiting_json(group));
  return list;
}

json delivery_json(const DeliveryView& view) {
  return {{"domain", view.domain},     {"state", to_text(view.state)},
          {"site", view.site},         {"source", view.source},
          {"rule", view.rule},         {"reason", view.reason},
          {"attempts", view.attempts}, {"next_seconds", seconds_json(view.next_seconds)}};
}

json delivery_to(const std::vector<DeliveryView>& views, const std::string& recipient) {
  const std::string domain = recipient.substr(recipient.rfind('@') + 1);
  for (const DeliveryView& view : views) {
    if (view.domain == domain) return delivery_json(view);
  }
  return nullptr;
}

// Of its attempts the spool only has those that are steps of the schedule.
void add_delivery(const std::vector<DeliveryView>& stand, json* out, json* recipient) {
  json delivery = delivery_to(stand, recipient->value("recipient", ""));
  if (delivery.is_null()) return;
  (*recipient)["attempts"] = std::max(recipient->value("attempts", 0U), delivery.value("attempts", 0U));
  (*out)["delivery"] = std::move(delivery);
}

}  // namespace relay::admin
