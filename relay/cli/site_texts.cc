#include "relay/cli/site_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "bounce/classification.h"
#include "bounce/qualification_table.h"
#include "bounce/text_template.h"
#include "conf/config_parser.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/queue_view.h"
#include "relay/host/text_table_file.h"

namespace relay::cli {
namespace {

using nlohmann::json;

constexpr size_t kMost = 5;

bounce::QualificationTable table_of(const std::string& config_path) {
  bounce::QualificationTable table;
  if (!std::filesystem::exists(config_path)) return table;
  const conf::ConfigPtr config = conf::load_config(config_path).config;
  const std::string path = config == nullptr ? std::string() : text_table_path(*config);
  if (path.empty() || !std::filesystem::exists(path)) return table;
  const FolderLock lock(path);
  if (!read_text_table(path, &table).ok()) return bounce::QualificationTable();
  return table;
}

uint64_t count_at(const bounce::Row& row, const std::set<std::string>& sites) {
  uint64_t count = 0;
  for (const auto& [site, times] : row.sites) count += sites.contains(site) ? times : 0;
  return count;
}

}  // namespace

json top_texts(const std::string& config_path, const json& explanation) {
  std::set<std::string> sites;
  for (const json& path : member(explanation, "paths")) {
    const auto* site = member(path, "site").get_ptr<const std::string*>();
    if (site != nullptr) sites.insert(*site);
  }
  json out = json::array();
  if (sites.empty()) return out;
  const bounce::QualificationTable table = table_of(config_path);
  std::vector<std::pair<uint64_t, const bounce::Row*>> found;
  for (const bounce::Row* row : table.rows()) {
    const uint64_t count = count_at(*row, sites);
    if (count > 0) found.emplace_back(count, row);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  found.resize(std::min(found.size(), kMost));
  for (const auto& [count, row] : found)
    out.push_back({{"count", count},
                   {"text", row->text},
                   {"reason", bounce::label(row->reason)},
                   {"type", bounce::type_label(row->type)},
                   {"scope", to_text(row->scope)},
                   {"status", to_text(row->status)},
                   {"rule", row->rule},
                   {"row", bounce::row_text(row->key)}});
  return out;
}

std::string top_texts_text(const json& texts) {
  if (texts.empty()) return {};
  std::string out = "\nIts commonest refusals, and how they are read (penstock qualify show ROW)\n";
  for (const json& each : texts)
    fmt::format_to(std::back_inserter(out), "  {:>8}  {}, {}, {} by {}  [{}]\n            {}\n",
                   each.value("count", uint64_t{0}), each.value("reason", ""), each.value("type", ""),
                   each.value("scope", ""), each.value("rule", ""), each.value("row", ""),
                   printable(each.value("text", "")));
  return out;
}

}  // namespace relay::cli
