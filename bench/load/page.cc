#include "bench/load/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "bench/load/latency.h"
#include "bench/load/report.h"
#include "bench/report/axis.h"
#include "bench/report/chart.h"
#include "bench/report/page.h"

namespace bench::load {
namespace {

std::string ms_text(int64_t us) { return number_text(ms(us)); }

std::vector<Tile> make_tiles(const LoadOptions& options, const LoadResult& result) {
  const Tally& tally = result.tally;
  const Latency& latency = response_differs(options, result) ? tally.response : tally.service;
  const auto latency_text = [&latency](int64_t us) { return latency.count() > 0 ? ms_text(us) : "-"; };
  std::vector<Tile> tiles = {
      {"accepted", number_text(static_cast<double>(tally.accepted)), ""},
      {"refused", number_text(static_cast<double>(tally.refused)), "", tally.refused > 0},
      {"unanswered", number_text(static_cast<double>(result.unanswered)), "", result.unanswered > 0},
      {"rate", number_text(std::round(result.rate())), "/s"},
      {"content",
       number_text(result.seconds > 0 ? static_cast<double>(tally.bytes) / result.seconds / 1e6 : 0), "MB/s"},
      {"median latency", latency_text(latency.percentile(0.5)), "ms"},
      {"p99 latency", latency_text(latency.percentile(0.99)), "ms"},
      {"longest", latency_text(latency.max()), "ms"}};
  return tiles;
}

LineChart throughput(const LoadOptions& options, const LoadResult& result) {
  const Timeline& timeline = result.tally.timeline;
  const double width = static_cast<double>(timeline.width_us()) / 1e6;
  LineChart chart{"time (s)", "messages per second", {}, false, {}};
  Series accepted{"accepted", Hue::kFirst, {}, true, false};
  Series refused{"refused", Hue::kBad, {}, false, false};
  const std::vector<Timeline::Interval>& intervals = timeline.intervals();
  for (size_t i = 0; i < intervals.size(); ++i) {
    const double begin = static_cast<double>(i) * width;
    // The last interval is cut by the end of the run; a sliver of one says nothing.
    const double length = std::min(width, result.seconds - begin);
    if (length < width / 4 && i > 0) continue;
    accepted.points.emplace_back(begin + length / 2, static_cast<double>(intervals[i].accepted) / length);
    refused.points.emplace_back(begin + length / 2, static_cast<double>(intervals[i].refused) / length);
  }
  if (intervals.size() == 1 && !accepted.points.empty()) {
    accepted.points.insert(accepted.points.begin(), {0, accepted.points[0].second});
    refused.points.insert(refused.points.begin(), {0, refused.points[0].second});
  }
  chart.series.push_back(std::move(accepted));
  if (result.tally.refused > 0) chart.series.push_back(std::move(refused));
  if (options.rate > 0)
    chart.series.push_back(
        {"due", Hue::kGrey, {{0, options.rate}, {result.seconds, options.rate}}, false, true});
  return chart;
}

LineChart latency_over_time(const LoadResult& result) {
  const Timeline& timeline = result.tally.timeline;
  const double width = static_cast<double>(timeline.width_us()) / 1e6;
  LineChart chart{"time of the answer (s)", "milliseconds", {}, true, {}};
  Series median{"median", Hue::kFirst, {}, false, false};
  Series p99{"p99", Hue::kSecond, {}, false, false};
  Series longest{"longest", Hue::kFourth, {}, false, false};
  for (size_t i = 0; i < timeline.intervals().size(); ++i) {
    const Latency& latency = timeline.intervals()[i].response;
    if (latency.count() == 0) continue;
    const double at = (static_cast<double>(i) + 0.5) * width;
    median.points.emplace_back(at, std::max(0.001, ms(latency.percentile(0.5))));
    p99.points.emplace_back(at, std::max(0.001, ms(latency.percentile(0.99))));
    longest.points.emplace_back(at, std::max(0.001, ms(latency.max())));
  }
  chart.series = {std::move(median), std::move(p99), std::move(longest)};
  return chart;
}

Series by_percentile(const std::string& name, Hue hue, const Latency& latency) {
  Series series{name, hue, {}, false, false};
  if (latency.count() == 0) return series;
  // Each step of 1 on the x axis is a tenfold fewer messages; beyond 1 / count nothing more is known.
  const double end = std::min(5.0, std::log10(static_cast<double>(latency.count())) + 0.05);
  for (double nines = 0; nines <= end; nines += 0.05)
    series.points.emplace_back(nines, std::max(0.001, ms(latency.percentile(1 - std::pow(10, -nines)))));
  return series;
}

LineChart percentiles(const LoadOptions& options, const LoadResult& result) {
  LineChart chart{"share of messages that were answered within", "milliseconds", {}, true, {}};
  if (options.rate > 0) {
    chart.series.push_back(by_percentile("response, from when due", Hue::kFirst, result.tally.response));
    chart.series.push_back(by_percentile("service, from when sent", Hue::kSecond, result.tally.service));
  } else {
    if (response_differs(options, result))
      chart.series.push_back(by_percentile("with lost connections", Hue::kFourth, result.tally.response));
    chart.series.push_back(by_percentile("whole transaction", Hue::kFirst, result.tally.service));
    // With pipelining the relay has the envelope before: both are the same.
    if (result.tally.content.percentile(0.5) < result.tally.service.percentile(0.5))
      chart.series.push_back(
          by_percentile("from the end of the content", Hue::kSecond, result.tally.content));
  }
  const double count = static_cast<double>(std::max<uint64_t>(10, result.tally.accepted));
  chart.x_ticks = {{0, "0"}, {std::log10(2), "50 %"}, {1, "90 %"}};
  if (count >= 100) chart.x_ticks.emplace_back(2, "99 %");
  if (count >= 1000) chart.x_ticks.emplace_back(3, "99.9 %");
  if (count >= 10'000) chart.x_ticks.emplace_back(4, "99.99 %");
  if (count >= 100'000) chart.x_ticks.emplace_back(5, "99.999 %");
  return chart;
}

std::vector<Bar> outcomes(const LoadResult& result) {
  std::vector<Bar> bars;
  double all = static_cast<double>(result.unanswered);
  for (const auto& [kind, count] : result.tally.outcomes) all += static_cast<double>(count);
  const auto text = [all](uint64_t count) {
    return fmt::format("{} ({} %)", number_text(static_cast<double>(count)),
                       number_text(static_cast<double>(count) * 100 / all));
  };
  for (const auto& [kind, count] : result.tally.outcomes)
    bars.push_back({kind, static_cast<double>(count), text(count),
                    kind[0] == '2'   ? Hue::kFirst
                    : kind[0] == '4' ? Hue::kSecond
                                     : Hue::kBad});
  if (result.unanswered > 0)
    bars.push_back(
        {"no answer", static_cast<double>(result.unanswered), text(result.unanswered), Hue::kGrey});
  std::stable_sort(bars.begin(), bars.end(), [](const Bar& a, const Bar& b) { return a.value > b.value; });
  return bars;
}

std::vector<std::string> latency_row(const std::string& name, const Latency& latency) {
  if (latency.count() == 0) return {name, "-", "-", "-", "-", "-", "-"};
  return {name,
          ms_text(latency.percentile(0.5)),
          ms_text(latency.percentile(0.9)),
          ms_text(latency.percentile(0.99)),
          ms_text(latency.percentile(0.999)),
          ms_text(latency.percentile(0.9999)),
          ms_text(latency.max())};
}

std::string domains_text(const LoadOptions& options) {
  if (!options.domain_list_path.empty()) return "by the weights of " + options.domain_list_path;
  constexpr size_t kMost = 80;
  return options.domains.substr(0, kMost) + (options.domains.size() > kMost ? "..." : "") +
         (options.zipf > 0 ? fmt::format(", Zipf {}", options.zipf) : "");
}

std::vector<std::vector<std::string>> settings(const LoadOptions& options, const LoadResult& result) {
  const Tally& tally = result.tally;
  std::vector<std::vector<std::string>> rows = {
      {"relay", options.to},
      {"kind", options.rate > 0 ? fmt::format("open loop, {} messages/s{}", number_text(options.rate),
                                              options.poisson ? ", random gaps" : "")
                                : "closed loop: each session sends when it has its answer"},
      {"sessions", fmt::format("{} at a time, {} made, {} lost", options.connections, tally.connections,
                               tally.lost_connections)},
      {"messages", fmt::format("{} {}, {} sent again after a lost connection",
                               number_text(static_cast<double>(result.handed_out)),
                               options.rate > 0 ? "due" : "begun", tally.resent)},
      {"size",
       options.template_path.empty() ? options.size : options.size + ", template " + options.template_path},
      {"recipients", fmt::format("{} a message, domains {}", options.recipients, domains_text(options))},
      {"session", fmt::format("{}{}, {}",
                              options.tls == TlsMode::kNone       ? "no TLS"
                              : options.tls == TlsMode::kStarttls ? "STARTTLS"
                                                                  : "TLS from the first byte",
                              options.user.empty() ? "" : ", AUTH",
                              options.chunking     ? "CHUNKING if offered"
                              : options.pipelining ? "PIPELINING if offered"
                                                   : "one command at a time")}};
  return rows;
}

}  // namespace

std::string html_report(const LoadOptions& options, const LoadResult& result) {
  const Tally& tally = result.tally;
  const bool open_loop = options.rate > 0;
  Page page("Load test of " + options.to,
            fmt::format("{} messages in {} s over {} sessions, {}",
                        number_text(static_cast<double>(result.handed_out)), number_text(result.seconds),
                        options.connections,
                        open_loop ? fmt::format("due at {}/s (open loop)", number_text(options.rate))
                                  : "as fast as they were taken (closed loop)"));
  if (!result.gave_up.empty()) page.warning("The run was given up: " + result.gave_up);
  page.tiles(make_tiles(options, result));
  page.figure("Throughput",
              fmt::format("Answers to messages, as a rate over each {} s.",
                          number_text(static_cast<double>(tally.timeline.width_us()) / 1e6)),
              chart_html(throughput(options, result)));
  page.figure(
      "Latency over time",
      open_loop ? "From when a message was due to its 250." : "From when a message was begun to its 250.",
      chart_html(latency_over_time(result)));
  page.figure(
      "Latency percentiles",
      open_loop ? "Where response lies above service, messages waited for a free session. Each step to the "
                  "right is a tenfold fewer messages."
                : "How long the whole transaction took; each step to the right is a tenfold fewer messages.",
      chart_html(percentiles(options, result)));
  page.figure("Outcomes by reply", "Final replies to messages; words with digits in them are shown as #.",
              bars_html(outcomes(result), "messages"));
  std::vector<std::vector<std::string>> rows;
  if (response_differs(options, result))
    rows.push_back(latency_row(open_loop ? "response: from when it was due" : "response: from its first try",
                               tally.response));
  rows.push_back(latency_row("service: the transaction", tally.service));
  rows.push_back(latency_row("content: from its end", tally.content));
  page.table("Latency of accepted messages, ms", {"", "p50", "p90", "p99", "p99.9", "p99.99", "longest"},
             rows);
  page.table("What was asked for", {}, settings(options, result), true);
  return page.html("Percentiles are never too low and at most 0.8 % too high.");
}

}  // namespace bench::load
