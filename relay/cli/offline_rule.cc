#include "relay/cli/offline_rule.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <type_traits>

#include "conf/rules_file.h"
#include "conf/vocab/text.h"
#include "mx/rules/rule_book.h"

namespace relay::cli {
namespace {

using nlohmann::json;

// The lines of the files that rules stand in, read once.
class Files {
 public:
  // "" when there is no such line.
  std::string line(const std::string& file, int number) {
    const std::vector<std::string>& lines = lines_of(file);
    return number < 1 || static_cast<size_t>(number) > lines.size() ? ""
                                                                    : lines[static_cast<size_t>(number) - 1];
  }

 private:
  const std::vector<std::string>& lines_of(const std::string& file) {
    const auto [entry, fresh] = files_.try_emplace(file);
    if (!fresh) return entry->second;
    std::istringstream shipped{std::string(conf::kShippedRules)};
    std::ifstream local(file);
    std::istream& in = file == conf::kShippedRulesName ? static_cast<std::istream&>(shipped) : local;
    for (std::string line; std::getline(in, line);) entry->second.emplace_back(conf::trimmed(line));
    return entry->second;
  }
  std::map<std::string, std::vector<std::string>> files_;
};

// "10000" of "messages_per_hour = 10000"; a line without "=" as it is.
std::string written_value(const std::string& line) {
  const size_t equals = line.find('=');
  return equals == std::string::npos ? line
                                     : std::string(conf::trimmed(std::string_view(line).substr(equals + 1)));
}

// The keys of a table, from its header until the next table: "error_rate = "90%", min_messages = 300".
std::string written_table(Files* files, const std::string& file, int line) {
  std::string text;
  while (true) {
    const std::string next = files->line(file, ++line);
    if (next.empty() || next.front() == '[') return text;
    if (next.front() != '#') text += (text.empty() ? "" : ", ") + next;
  }
}

json limits_of(const mx::Rule& rule, Files* files) {
  json limits = json::array();
  const auto add = [&](const char* key, const std::string& value, const mx::RuleOrigin& origin) {
    limits.push_back({{"key", key}, {"value", value}, {"where", origin.text()}});
  };
  conf::for_each_field(rule.values, rule.values, [&](const char* key, const auto& field, const auto&) {
    if (field.origin.line == 0) return;
    using Value = std::decay_t<decltype(field.value)>;
    if constexpr (std::is_same_v<Value, std::vector<conf::RuleThreshold>>) {
      for (const conf::RuleThreshold& threshold : field.value) {
        mx::RuleOrigin origin = field.origin;
        origin.line = threshold.line != 0 ? threshold.line : origin.line;
        add(key, written_table(files, origin.file, origin.line), origin);
      }
      if (!field.value.empty()) return;
    }
    add(key, field.set ? written_value(files->line(field.origin.file, field.origin.line)) : "unset",
        field.origin);
  });
  return limits;
}

}  // namespace

conf::Result<json> offline_explanation(const conf::Config& config, const std::string& domain,
                                       const std::vector<std::string>& hosts, const std::string& source) {
  const mx::BuiltRules built = mx::build_rules(config.rules);
  for (const conf::Problem& problem : built.problems) {
    if (!problem.warning) return conf::Error{conf::ErrorCode::kInvalid, problem.text()};
  }
  std::vector<std::string> smart_hosts;  // in the place of MX hosts
  for (const conf::SmartHost& host : config.settings_for(domain).smart_hosts)
    smart_hosts.push_back(host.host);
  const std::vector<std::string>& names = smart_hosts.empty() ? hosts : smart_hosts;
  Files files;
  json paths = json::array();
  for (const conf::Source& each : config.sources) {
    if (!source.empty() && each.name != source) continue;
    json path = {{"source", each.name}, {"source_id", each.id}, {"rule", ""}, {"limits", json::array()}};
    if (const mx::RulePtr rule = built.book->match(domain, names, each.id)) {
      path["rule"] = rule->name;
      path["rule_where"] = rule->file + ":" + std::to_string(rule->line);
      path["limits"] = limits_of(*rule, &files);
    }
    paths.push_back(std::move(path));
  }
  if (paths.empty())
    return conf::Error{conf::ErrorCode::kNotFound, "no [[source]] is named \"" + source + "\""};
  return json{{"domain", domain}, {"hosts", names}, {"paths", std::move(paths)}};
}

}  // namespace relay::cli
