#include "relay/cli/report_text.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "bounce/ledger/csv.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/queue_view.h"

namespace relay::cli {

namespace {

using bounce::ReportLine;
using nlohmann::json;

constexpr std::array<const char*, 7> kCounted = {"delivered",   "deferred",   "failed", "expired",
                                                 "quarantined", "complaints", "dropped"};

std::array<uint64_t, 7> values(const ReportLine& line) {
  return {line.delivered,   line.deferred,   line.failed, line.expired,
          line.quarantined, line.complaints, line.dropped};
}

void table_line(const std::string& name, size_t width, const ReportLine& of, std::string* out) {
  const std::array<uint64_t, 7> v = values(of);
  line(out, "{:<{}}  {:>11} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11}", name, width, v[0], v[1], v[2], v[3],
       v[4], v[5], v[6]);
}

// Of lines that the limit leaves out.
std::string others_name(const bounce::Report& report) {
  return "(" + std::to_string(report.others) + " more lines)";
}

json line_json(const ReportLine& line) {
  json out = json::object();
  const std::array<uint64_t, 7> all = values(line);
  for (size_t i = 0; i < all.size(); ++i) out[kCounted[i]] = all[i];
  return out;
}

}  // namespace

std::string report_table(const bounce::Report& report, const std::string& by) {
  size_t width = std::max<size_t>(by.size(), 5);
  if (report.others != 0) width = std::max(width, others_name(report).size());
  for (const ReportLine& each : report.lines) width = std::max(width, printable(each.name).size());
  std::string out;
  line(&out, "{:<{}}  {:>11} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11}", by, width, kCounted[0], kCounted[1],
       kCounted[2], kCounted[3], kCounted[4], kCounted[5], kCounted[6]);
  for (const ReportLine& each : report.lines)
    table_line(each.name.empty() ? "-" : printable(each.name), width, each, &out);
  if (report.others != 0) table_line(others_name(report), width, report.other, &out);
  table_line("total", width, report.total, &out);
  if (!report.texts.empty()) out += "\nthe commonest texts:\n";
  for (const bounce::TextTally& text : report.texts)
    line(&out, "{:>11}  {}", text.count, printable(text.text));
  return out;
}

std::string report_csv(const bounce::Report& report, const std::string& by) {
  std::string out;
  const auto put = [&out](const std::string& name, const ReportLine& each) {
    std::array<std::string, 7> texts;
    const std::array<uint64_t, 7> all = values(each);
    std::vector<std::string_view> cells = {name};
    for (size_t i = 0; i < all.size(); ++i) {
      texts[i] = std::to_string(all[i]);
      cells.push_back(texts[i]);
    }
    bounce::append_csv(cells, &out);
  };
  std::vector<std::string_view> head = {by};
  for (const char* column : kCounted) head.emplace_back(column);
  bounce::append_csv(head, &out);
  for (const ReportLine& each : report.lines) put(each.name, each);
  if (report.others != 0) put(others_name(report), report.other);
  put("total", report.total);
  return out;
}

json report_as_json(const bounce::Report& report, const std::string& by) {
  json lines = json::array(), texts = json::array();
  for (const ReportLine& each : report.lines) {
    json one = line_json(each);
    one[by] = each.name;
    lines.push_back(std::move(one));
  }
  for (const bounce::TextTally& text : report.texts)
    texts.push_back({{"text", text.text}, {"count", text.count}});
  return {{"by", by},
          {"lines", std::move(lines)},
          {"other_lines", report.others},
          {"other", line_json(report.other)},
          {"total", line_json(report.total)},
          {"texts", std::move(texts)}};
}

}  // namespace relay::cli
