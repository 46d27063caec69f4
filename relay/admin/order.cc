#include "relay/admin/order.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "mx/limits/decision.h"

namespace relay::admin {
namespace {

using nlohmann::json;

conf::Status read_ids(const json& value, Order* order) {
  if (!value.is_array() || value.empty()) return conf::invalid("ids: give a list of at least one message id");
  for (const json& item : value) {
    const auto* text = item.get_ptr<const std::string*>();
    if (text == nullptr) return conf::invalid("ids: each one is a string");
    const conf::Result<conf::MessageId> id = conf::parse_message_id(*text);
    if (!id.ok()) return conf::invalid("ids: " + id.error().detail);
    order->ids.push_back(id.value());
  }
  return conf::success();
}

conf::Status read_filter(const json& value, Order* order) {
  if (!value.is_object() || value.empty())
    return conf::invalid("filter: give at least one of its members, or \"all\": true");
  for (const auto& [key, item] : value.items()) {
    const auto* text = item.get_ptr<const std::string*>();
    if (text == nullptr) return conf::invalid("filter: " + key + " is not a string");
    if (conf::Status set = order->filter.set(key, *text); !set.ok())
      return conf::invalid("filter: " + set.error().detail);
  }
  return conf::success();
}

conf::Status read_flag(const std::string& key, const json& value, bool* out) {
  const auto* flag = value.get_ptr<const bool*>();
  if (flag == nullptr) return conf::invalid(key + ": true or false");
  *out = *flag;
  return conf::success();
}

}  // namespace

conf::Result<Order> parse_order(std::string_view text) {
  const json body = json::parse(text, nullptr, false);
  if (!body.is_object())
    return conf::invalid("the body must be a JSON object with \"ids\", \"filter\" or \"all\"");
  Order order;
  for (const auto& [key, value] : body.items()) {
    conf::Status read = key == "ids"      ? read_ids(value, &order)
                        : key == "filter" ? read_filter(value, &order)
                        : key == "all"    ? read_flag(key, value, &order.all)
                        : key == "dry_run"
                            ? read_flag(key, value, &order.dry_run)
                            : conf::invalid(key + ": no such member; there are ids, filter, all, dry_run");
    if (!read.ok()) return read.error();
  }
  const int ways = (order.ids.empty() ? 0 : 1) + (order.filter.empty() ? 0 : 1) + (order.all ? 1 : 0);
  if (ways != 1) return conf::invalid("give exactly one of \"ids\", \"filter\" and \"all\": true");
  return order;
}

std::string not_queued(const std::vector<conf::MessageId>& ids) {
  constexpr size_t kNamed = 10;
  std::string text = ids.size() == 1 ? "this message is not in the queue:" : "none of these is in the queue:";
  for (size_t i = 0; i < std::min(ids.size(), kNamed); ++i) text += ' ' + conf::to_text(ids[i]);
  if (ids.size() > kNamed) text += " ...";
  return text + "; it may have ended meanwhile, `penstock log ID` tells its story";
}

std::string target_text(const Order& order) {
  constexpr size_t kNamed = 10;
  if (order.all) return "all";
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  const QueueFilter& filter = order.filter;
  const std::pair<const char*, const std::string*> texts[] = {
      {"sender", &filter.sender}, {"stream", &filter.stream}, {"domain", &filter.domain},
      {"site", &filter.site},     {"reason", &filter.reason},
  };
  for (const auto& [key, value] : texts)
    if (!value->empty()) add(std::string(key) + " = " + *value);
  if (filter.older_than) add("older than " + mx::duration_text(*filter.older_than));
  if (filter.younger_than) add("younger than " + mx::duration_text(*filter.younger_than));
  if (filter.up_to) add("up to " + conf::to_text(*filter.up_to));
  for (size_t i = 0; i < std::min(order.ids.size(), kNamed); ++i) add(conf::to_text(order.ids[i]));
  return order.ids.size() > kNamed ? text + ", ..." : text;
}

}  // namespace relay::admin
