#include "relay/cli/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bounce/ledger/csv.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/queue_view.h"
#include "relay/cli/waiting_text.h"

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

// How wide the counts must be, and how wide the names may be beside them.
class Table {
 public:
  explicit Table(const bounce::Report& report) {
    for (size_t i = 0; i < kCounted.size(); ++i) widths_[i] = std::char_traits<char>::length(kCounted[i]);
    for (const ReportLine& each : report.lines) widen(each);
    widen(report.other);
    widen(report.total);
    size_t counts = 1;
    for (const size_t width : widths_) counts += width + 1;
    most_ = kColumns - counts;
  }
  void name(const std::string& text) { name_ = std::max(name_, std::min(text.size(), most_)); }
  void head(const std::string& by, std::string* out) const {
    row(by, {kCounted.begin(), kCounted.end()}, out);
  }
  void line(const std::string& name, const ReportLine& of, std::string* out) const {
    row(name, texts(of), out);
  }

 private:
  static std::vector<std::string> texts(const ReportLine& line) {
    std::vector<std::string> out;
    for (const uint64_t value : values(line)) out.push_back(std::to_string(value));
    return out;
  }
  void widen(const ReportLine& line) {
    const std::vector<std::string> all = texts(line);
    for (size_t i = 0; i < all.size(); ++i) widths_[i] = std::max(widths_[i], all[i].size());
  }
  void row(const std::string& name, const std::vector<std::string>& cells, std::string* out) const {
    *out += fmt::format("{:<{}} ", fitted(name, most_), name_);
    for (size_t i = 0; i < cells.size(); ++i) *out += fmt::format(" {:>{}}", cells[i], widths_[i]);
    *out += '\n';
  }

  std::array<size_t, 7> widths_{};
  size_t most_ = 0, name_ = 5;
};

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
  const auto name_of = [](const ReportLine& each) {
    return each.name.empty() ? std::string("-") : printable(each.name);
  };
  Table table(report);
  table.name(by);
  if (report.others != 0) table.name(others_name(report));
  for (const ReportLine& each : report.lines) table.name(name_of(each));
  std::string out;
  table.head(by, &out);
  for (const ReportLine& each : report.lines) table.line(name_of(each), each, &out);
  if (report.others != 0) table.line(others_name(report), report.other, &out);
  table.line("total", report.total, &out);
  if (!report.texts.empty()) out += "\nthe commonest texts:\n";
  for (const bounce::TextTally& text : report.texts)
    out += wrapped("  ", fmt::format("{:>9}  {}", text.count, printable(text.text)));
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
