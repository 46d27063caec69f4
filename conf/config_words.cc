#include "conf/config_words.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "conf/read_file.h"
#include "conf/toml_root.h"

namespace conf {

namespace {

constexpr size_t kMostShown = 60;  // characters of a value

// On one line, however it is written.
std::string as_written(const toml::node& node) {
  std::ostringstream out;
  const auto flags = toml::toml_formatter::default_flags & ~toml::format_flags::allow_literal_strings;
  out << toml::toml_formatter(node, flags);
  std::string text;
  for (const char c : out.str()) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space) {
      text.push_back(c);
    } else if (!text.empty() && text.back() != ' ') {
      text.push_back(' ');
    }
  }
  return text;
}

// Of a table among others of its kind what people know it by; "": nothing.
std::string known_by(const toml::table& table) {
  const auto text = [&table](const char* key) {
    const toml::node* node = table.get(key);
    if (node != nullptr && node->is_array() && !node->as_array()->empty()) node = node->as_array()->get(0);
    return node == nullptr ? std::string() : node->value_or(std::string());
  };
  if (!text("name").empty()) return text("name");
  if (!text("selector").empty()) return text("selector") + " of " + text("domain");
  for (const char* key : {"domain", "address", "domains", "mx", "folder"})
    if (!text(key).empty()) return text(key);
  return "";
}

std::string below(const std::string& parent, const std::string& title) {
  return parent.empty() ? title : parent + ' ' + title;
}

}  // namespace

class WordCollector {
 public:
  explicit WordCollector(ConfigWords* words) : words_(words) {}

  void collect(const toml::table& table, const std::string& name, const std::string& parent,
               const std::string& kind) {
    const size_t at = words_->tables_.size();
    words_->tables_.push_back({name, parent, kind, static_cast<int>(table.source().begin.line), {}});
    words_->index_[name] = at;
    for (const auto& [key_view, node] : table) {
      const std::string key(key_view.str());
      if (node.is_table()) {
        collect(*node.as_table(), below(name, '[' + key + ']'), name, "");
      } else if (node.is_array_of_tables()) {
        collect_all(*node.as_array(), key, name);
      } else {
        ConfigWords::Value value{as_written(node), static_cast<int>(node.source().begin.line),
                                 key == "secret"};
        words_->tables_[at].values[key] = std::move(value);
      }
    }
  }

 private:
  void collect_all(const toml::array& tables, const std::string& key, const std::string& parent) {
    const std::string kind = below(parent, "[[" + key + "]]");
    size_t number = 0;
    for (const toml::node& node : tables) {
      ++number;
      const std::string known = known_by(*node.as_table());
      std::string name = kind + ' ' + (known.empty() ? std::to_string(number) : known);
      if (words_->index_.contains(name)) name += " #" + std::to_string(number);
      collect(*node.as_table(), name, parent, kind);
    }
  }

  ConfigWords* words_;
};

ConfigWords::ConfigWords(std::string_view text) {
  toml::table root;
  std::vector<Problem> problems;
  if (parse_toml(text, "", &root, &problems)) WordCollector(this).collect(root, "", "", "");
}

ConfigWords ConfigWords::load(const std::string& path) {
  const Result<std::string> text = read_regular_file(path);
  return text.ok() ? ConfigWords(text.value()) : ConfigWords();
}

std::string ConfigWords::Value::shown() const {
  if (secret) return "(a secret)";
  return text.size() <= kMostShown ? text : text.substr(0, kMostShown) + "...";
}

std::vector<ConfigWords::Entry> ConfigWords::entries() const {
  std::vector<Entry> all;
  for (const Table& table : tables_) {
    for (const auto& [key, value] : table.values)
      all.push_back({table.name, key, value.secret ? value.shown() : value.text, value.line});
  }
  std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.line < b.line; });
  return all;
}

ConfigWords::Entry ConfigWords::find(int table_line, const std::string& key) const {
  for (const Table& table : tables_) {
    if (table.line != table_line || table.name.empty()) continue;
    const auto found = table.values.find(key);
    if (found != table.values.end())
      return {table.name, key, found->second.secret ? found->second.shown() : found->second.text,
              found->second.line};
    const Table* inner = named(below(table.name, '[' + key + ']'));
    if (inner != nullptr) return {table.name, key, "a table", inner->line};
  }
  return {};
}

int ConfigWords::line_of(const std::string& table) const {
  const Table* found = named(table);
  return found == nullptr ? 0 : found->line;
}

const ConfigWords::Table* ConfigWords::named(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tables_[found->second];
}

std::vector<std::string> ConfigWords::order_of(const std::string& kind, const ConfigWords& also_in) const {
  std::vector<std::string> names;
  for (const Table& table : tables_) {
    if (table.kind == kind && also_in.named(table.name) != nullptr) names.push_back(table.name);
  }
  return names;
}

std::vector<std::string> ConfigWords::changes_to(const ConfigWords& after) const {
  std::vector<std::string> changes;
  const auto at_line = [](int line) { return " (line " + std::to_string(line) + ")"; };
  std::set<std::string> kinds;
  for (const Table& now : after.tables_) {
    const Table* before = named(now.name);
    if (before == nullptr) {
      // What stands in a new table is new with it.
      if (named(now.parent) != nullptr) changes.push_back(now.name + ": new" + at_line(now.line));
      continue;
    }
    const std::string title = now.name.empty() ? "" : now.name + ' ';
    std::vector<std::pair<int, std::string>> of_table;
    for (const auto& [key, value] : now.values) {
      const auto found = before->values.find(key);
      if (found != before->values.end() && found->second.text == value.text) continue;
      const std::string old = found == before->values.end() ? "not set" : found->second.shown();
      of_table.emplace_back(value.line,
                            std::string(title).append(key).append(": ").append(old) + " -> " + value.shown());
    }
    std::sort(of_table.begin(), of_table.end());
    for (const auto& [line, text] : of_table) changes.push_back(text + at_line(line));
    for (const auto& [key, value] : before->values)
      if (!now.values.contains(key)) changes.push_back(title + key + ": " + value.shown() + " -> not set");
    if (!now.kind.empty() && kinds.insert(now.kind).second &&
        order_of(now.kind, after) != after.order_of(now.kind, *this))
      changes.push_back(now.kind + ": stand in another order");
  }
  for (const Table& old : tables_) {
    if (after.named(old.name) == nullptr && after.named(old.parent) != nullptr)
      changes.push_back(old.name + ": gone");
  }
  return changes;
}

}  // namespace conf
