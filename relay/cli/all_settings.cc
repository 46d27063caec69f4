#include "relay/cli/all_settings.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "conf/asked_keys.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/queue_view.h"

namespace relay::cli {
namespace {

using nlohmann::json;

constexpr const char* kProgramSays = "built in";

// Tables of which the keys hold for others that do not set them, unless there they have another name.
struct Lender {
  const char* table;
  const char* lender;
};
constexpr Lender kLenders[] = {{"[[destination]]", "[defaults]"}, {"[[dkim_key]]", "[dkim]"}};

using Place = std::pair<int, std::string>;  // line, key

std::map<Place, conf::ConfigWords::Entry> by_place(const conf::ConfigWords& words) {
  std::map<Place, conf::ConfigWords::Entry> entries;
  for (conf::ConfigWords::Entry& entry : words.entries()) {
    const Place place{entry.line, entry.key};
    entries.emplace(place, std::move(entry));
  }
  return entries;
}

std::string lender_of(const std::string& table, const std::string& key) {
  if (table == "[[listener]]" && key == "quarantine") return "[quarantine] action";
  for (const Lender& each : kLenders) {
    if (table.rfind(each.table, 0) == 0)
      return each.lender + table.substr(std::string(each.table).size()) + ' ' + key;
  }
  return "";
}

}  // namespace

json all_settings(const std::string& file, const std::string& text, const conf::ConfigWords& words) {
  const std::vector<conf::AskedKey> asked = conf::asked_keys(text, file);
  std::map<Place, conf::ConfigWords::Entry> set = by_place(words);
  std::map<std::string, int> lines;  // of keys of tables that are there once
  for (const conf::AskedKey& key : asked) {
    if (key.line != 0) lines.emplace(key.table + ' ' + key.key, key.line);
  }
  const auto at = [&file](int line) { return file + ':' + std::to_string(line); };
  json rows = json::array();
  const auto add = [&rows](std::string table, const std::string& key, const std::string& value,
                           std::string where) {
    rows.push_back(
        {{"table", std::move(table)}, {"key", key}, {"value", value}, {"where", std::move(where)}});
  };
  int element_line = 0;
  for (const conf::AskedKey& key : asked) {
    if (key.table.rfind("[[rule", 0) == 0) continue;  // what a rule does not set others decide
    const bool many = key.table.rfind("[[", 0) == 0;
    if (key.table_line != 0) element_line = key.table_line;  // what it does not have in it is of this element
    const std::string table = many ? key.table + " of line " + std::to_string(element_line) : key.table;
    const auto found = set.find({key.line, key.key});
    if (found != set.end()) {
      add(table, key.key, found->second.value, at(key.line));
      set.erase(found);
      continue;
    }
    const auto lent = lines.find(lender_of(key.table, key.key));
    add(table, key.key, key.preset.empty() ? "not set" : key.preset,
        lent == lines.end() ? kProgramSays : at(lent->second) + " (" + lent->first + ")");
  }
  for (const auto& [place, entry] : set) add(entry.table, entry.key, entry.value, at(entry.line));
  std::map<std::string, size_t> order;  // by where a table occurs first
  for (const json& row : rows) order.emplace(text_of(row, "table"), order.size());
  std::stable_sort(rows.begin(), rows.end(), [&order](const json& a, const json& b) {
    return order[text_of(a, "table")] < order[text_of(b, "table")];
  });
  return rows;
}

std::string settings_text(const json& settings) {
  std::string out = "\nEvery key:\n", table = "-";
  size_t key_width = 0;
  for (const json& row : settings) key_width = std::max(key_width, text_of(row, "key").size());
  for (const json& row : settings) {
    if (text_of(row, "table") != table) {
      table = text_of(row, "table");
      if (!table.empty()) line(&out, "  {}", printable(table));
    }
    line(&out, "    {:<{}}  {:<24}  {}", printable(text_of(row, "key")), key_width,
         printable(text_of(row, "value")), text_of(row, "where"));
  }
  return out;
}

}  // namespace relay::cli
