#include "relay/cli/flow_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "relay/cli/json_reader.h"
#include "relay/cli/waiting_text.h"

namespace relay::cli {

namespace {

using nlohmann::json;

// In the unit in which it is at least one: "166 a minute", "20 an hour", "50 a day".
std::string pace_of(double per_minute) {
  const char* unit = "a minute";
  double count = per_minute;
  if (count < 1) {
    count = per_minute * 60;
    unit = "an hour";
  }
  if (count < 1) {
    count = per_minute * 60 * 24;
    unit = "a day";
  }
  return count < 10 ? fmt::format("{:.2g} {}", count, unit)
                    : grouped(static_cast<int64_t>(std::min(count, 1e15))) + ' ' + unit;
}

std::string allowed_text(const json& path) {
  const json& flow = member(path, "last_minute");
  const double allowed = real_of(flow, "allowed");
  if (!(allowed > 0)) return "";
  std::string text = "; " + text_of(flow, "allowed_by") + " allows " + pace_of(allowed);
  const std::string scope = text_of(flow, "allowed_to");
  if (scope == "path") text += " to each address";
  if (scope == "pool") text += " from all sources together";
  return is_true(path, "one_site") ? text + ", to all sites of the rule" : text;
}

}  // namespace

std::string last_minute_text(const json& path) {
  const json& flow = member(path, "last_minute");
  if (!flow.is_object()) return "";
  const int64_t delivered = number_of(flow, "delivered"), deferred = number_of(flow, "deferred"),
                refused = number_of(flow, "refused");
  const std::string counts = delivered == 0 && deferred == 0 && refused == 0
                                 ? "nothing"
                                 : fmt::format("{} delivered, {} deferred, {} refused", grouped(delivered),
                                               grouped(deferred), grouped(refused));
  return counts + allowed_text(path);
}

}  // namespace relay::cli
