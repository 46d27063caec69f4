#include "bench/load/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace bench {
namespace {

double rate_of(const LoadResult& result) {
  return result.seconds > 0 ? static_cast<double>(result.accepted) / result.seconds : 0;
}
double ms(int64_t us) { return static_cast<double>(us) / 1000.0; }

}  // namespace

std::string text_report(const LoadOptions& options, const LoadResult& result) {
  std::string out = fmt::format(
      "penstock-load: accepted {} of {}, refused {}, {:.2f} s, {:.0f} messages/s\n"
      "               {} connections, {} lost, {} messages sent again\n"
      "               latency ms: p50 {:.1f}  p99 {:.1f}  p99.9 {:.1f}  max {:.1f}{}\n",
      result.accepted, options.messages, result.refused, result.seconds, rate_of(result), result.connections,
      result.lost_connections, result.resent, ms(result.latency.percentile(0.5)),
      ms(result.latency.percentile(0.99)), ms(result.latency.percentile(0.999)), ms(result.latency.max()),
      options.rate > 0 ? " (from when due)" : " (of the final dot)");
  for (const auto& [reply, count] : result.refusals)
    out += fmt::format("               {} x {}\n", count, reply);
  if (result.gave_up) {
    out += fmt::format("penstock-load: gave up: no reply for {} s; last trouble: {}\n", options.patience_s,
                       result.trouble.empty() ? "none" : result.trouble);
  }
  return out;
}

std::string json_report(const LoadOptions& options, const LoadResult& result) {
  nlohmann::json out = {{"messages", options.messages},
                        {"connections", options.connections},
                        {"size_bytes", options.size_bytes},
                        {"accepted", result.accepted},
                        {"refused", result.refused},
                        {"lost_connections", result.lost_connections},
                        {"resent", result.resent},
                        {"gave_up", result.gave_up},
                        {"seconds", result.seconds},
                        {"rate", rate_of(result)},
                        {"latency_ms",
                         {{"p50", ms(result.latency.percentile(0.5))},
                          {"p99", ms(result.latency.percentile(0.99))},
                          {"p99_9", ms(result.latency.percentile(0.999))},
                          {"max", ms(result.latency.max())}}},
                        {"refusals", result.refusals}};
  // Replies come from outside and may hold any bytes.
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace bench
