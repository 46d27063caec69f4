#include "bench/sink/summary.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace bench {

std::string text_summary(const SinkOptions& options, const Server& server) {
  const Tally& tally = server.tally();
  const IdTotals ids = server.id_count().totals(options.expect);
  std::string out = fmt::format(
      "penstock-sink: {} messages, {} recipients, {} bytes, {} refused, {} connections, at most {} at once, "
      "{} turned away, {} protocol errors\n",
      tally.messages, tally.recipients, tally.bytes, tally.refused, tally.connections, tally.max_open,
      tally.turned_away, tally.protocol_errors);
  if (ids.distinct > 0)
    out += fmt::format("               ids: {} came, {} lost, {} duplicated, {} reordered\n", ids.distinct,
                       ids.lost, ids.duplicated, ids.reordered);
  for (const auto& site : server.sites()) {
    const SiteTally& at = site->tally();
    if (at.connections == 0) continue;
    out += fmt::format("{:<14} {} messages, {} connections, at most {} at once, {} refused, {} dropped",
                       site->group().name, at.messages, at.connections, at.max_open, at.refused, at.dropped);
    if (at.greylisted > 0) out += fmt::format(", {} greylisted", at.greylisted);
    for (size_t i = 0; i < kLimits; ++i)
      if (at.broken[i] > 0) out += fmt::format(", broken {}: {}", kLimitNames[i], at.broken[i]);
    out += "\n";
  }
  return out;
}

std::string json_summary(const SinkOptions& options, const Server& server) {
  const Tally& tally = server.tally();
  const IdTotals ids = server.id_count().totals(options.expect);
  nlohmann::ordered_json out = {{"messages", tally.messages},
                                {"recipients", tally.recipients},
                                {"bytes", tally.bytes},
                                {"refused", tally.refused},
                                {"connections", tally.connections},
                                {"max_concurrent", tally.max_open},
                                {"turned_away", tally.turned_away},
                                {"protocol_errors", tally.protocol_errors}};
  out["ids"] = {{"distinct", ids.distinct},
                {"lost", ids.lost},
                {"duplicated", ids.duplicated},
                {"reordered", ids.reordered},
                {"foreign", ids.foreign}};
  for (const auto& site : server.sites()) {
    const SiteTally& at = site->tally();
    nlohmann::ordered_json group = {
        {"name", site->group().name},    {"messages", at.messages},       {"recipients", at.recipients},
        {"connections", at.connections}, {"max_concurrent", at.max_open}, {"refused", at.refused},
        {"dropped", at.dropped},         {"delayed", at.delayed},         {"greylisted", at.greylisted}};
    for (size_t i = 0; i < kLimits; ++i) group["broken"][kLimitNames[i]] = at.broken[i];
    out["groups"].push_back(std::move(group));
  }
  return out.dump() + "\n";
}

}  // namespace bench
