#include "bench/load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace bench::load {
namespace {

std::string latency_line(const char* what, const Latency& latency) {
  return fmt::format("  {:<10}{:>10.2f}{:>10.2f}{:>10.2f}{:>10.2f}{:>10.2f}{:>10.2f}\n", what,
                     ms(latency.percentile(0.5)), ms(latency.percentile(0.9)), ms(latency.percentile(0.99)),
                     ms(latency.percentile(0.999)), ms(latency.percentile(0.9999)), ms(latency.max()));
}

nlohmann::json latency_json(const Latency& latency) {
  return {{"p50", ms(latency.percentile(0.5))},       {"p90", ms(latency.percentile(0.9))},
          {"p99", ms(latency.percentile(0.99))},      {"p99_9", ms(latency.percentile(0.999))},
          {"p99_99", ms(latency.percentile(0.9999))}, {"max", ms(latency.max())},
          {"mean", latency.mean() / 1000.0}};
}

nlohmann::json timeline_json(const Timeline& timeline) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Timeline::Interval& one : timeline.intervals())
    rows.push_back({{"accepted", one.accepted},
                    {"refused", one.refused},
                    {"bytes", one.bytes},
                    {"p50_ms", ms(one.response.percentile(0.5))},
                    {"p99_ms", ms(one.response.percentile(0.99))},
                    {"max_ms", ms(one.response.max())}});
  return {{"interval_s", static_cast<double>(timeline.width_us()) / 1e6}, {"intervals", rows}};
}

}  // namespace

std::string text_report(const LoadOptions& options, const LoadResult& result) {
  const Tally& tally = result.tally;
  const std::string of = options.planned() == UINT64_MAX ? fmt::format("{}", result.handed_out)
                                                         : fmt::format("{}", options.planned());
  std::string out = fmt::format(
      "penstock-load: accepted {} of {}, refused {}, {:.2f} s, {:.0f} messages/s, {:.1f} MB/s\n"
      "  {} connections, {} lost, {} messages sent again, {} without an answer\n",
      tally.accepted, of, tally.refused, result.seconds, result.rate(),
      result.seconds > 0 ? static_cast<double>(tally.bytes) / result.seconds / 1e6 : 0, tally.connections,
      tally.lost_connections, tally.resent, result.unanswered);
  if (tally.lost_connections > 0)
    out += fmt::format("  last reason of a lost connection: {}\n", reply_kind(tally.trouble));
  if (tally.accepted > 0) {
    out += "  latency ms       p50       p90       p99     p99.9    p99.99       max\n";
    if (response_differs(options, result)) out += latency_line("response", tally.response);
    out += latency_line("service", tally.service);
    out += latency_line("content", tally.content);
  }
  std::vector<std::pair<uint64_t, std::string>> outcomes;
  for (const auto& [kind, count] : tally.outcomes) outcomes.emplace_back(count, kind);
  std::sort(outcomes.rbegin(), outcomes.rend());
  for (const auto& [count, kind] : outcomes) out += fmt::format("  {:>9} x {}\n", count, kind);
  return out;
}

std::string json_report(const LoadOptions& options, const LoadResult& result) {
  const Tally& tally = result.tally;
  std::map<std::string, uint64_t> refusals;
  for (const auto& [kind, count] : tally.outcomes)
    if (kind.compare(0, 3, "250") != 0) refusals.emplace(kind, count);
  nlohmann::json out = {
      {"messages", options.planned() == UINT64_MAX ? result.handed_out : options.planned()},
      {"connections", options.connections},
      {"size", options.size},
      {"size_bytes", tally.accepted > 0 ? tally.bytes / tally.accepted : 0},
      {"target_rate", options.rate},
      {"accepted", tally.accepted},
      {"refused", tally.refused},
      {"unanswered", result.unanswered},
      {"lost_connections", tally.lost_connections},
      {"resent", tally.resent},
      {"last_trouble", tally.trouble},
      {"gave_up", !result.gave_up.empty()},
      {"gave_up_reason", result.gave_up},
      {"seconds", result.seconds},
      {"rate", result.rate()},
      {"bytes", tally.bytes},
      // In an open loop from when the message was due, in a closed one from when its content was sent.
      {"latency_ms", latency_json(options.rate > 0 ? tally.response : tally.content)},
      {"response_ms", latency_json(tally.response)},
      {"service_ms", latency_json(tally.service)},
      {"content_ms", latency_json(tally.content)},
      {"outcomes", tally.outcomes},
      {"refusals", refusals},
      {"timeline", timeline_json(tally.timeline)}};
  // Replies come from outside and may hold any bytes.
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace bench::load
