#include "relay/cli/effective_settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "mx/rules/path_limits.h"
#include "relay/admin/limit_text.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/waiting_text.h"

namespace relay::cli {
namespace {

using nlohmann::json;

constexpr const char* kBuiltIn = "built in";
// Of no receiver (RFC 2606): only rules for all hosts match it.
constexpr const char* kNobodysHost = "host.invalid";

struct Said {  // by a table of the file
  std::string value, where;
};

// What the destination and the defaults say of a key, the one that goes first first.
std::vector<Said> said_below(const conf::Config& config, const conf::ConfigWords& words, uint32_t index,
                             const std::string& key) {
  std::vector<Said> said;
  const auto look = [&](int line, const std::string& table) {
    const conf::ConfigWords::Entry entry = words.find(line, key);
    if (line != 0 && entry.line != 0)
      said.push_back({entry.value, config.file + ":" + std::to_string(entry.line) + " (" + table + ")"});
  };
  if (index != 0) {
    const conf::Destination& destination = config.destinations[index - 1];
    look(destination.line, "[[destination]] " + destination.name);
  }
  look(words.line_of("[defaults]"), "[defaults]");
  return said;
}

json setting_json(const admin::LimitView& view, const std::vector<Said>& below) {
  json setting = {{"key", view.key}, {"value", view.value}, {"where", view.where}};
  const bool by_rule = view.by_rule;
  json over = json::array();
  if (!by_rule) setting["where"] = below.empty() ? kBuiltIn : below.front().where;
  for (size_t i = by_rule ? 0 : 1; i < below.size(); ++i)
    over.push_back({{"value", below[i].value}, {"where", below[i].where}});
  if (!view.overruled_where.empty())
    over.push_back({{"value", "a less strict value"}, {"where", view.overruled_where}});
  setting["over"] = std::move(over);
  return setting;
}

// Mail that goes by smart hosts has these in the place of MX hosts.
mx::RulePtr rule_for(const mx::RuleBook& book, const EffectiveQuestion& question,
                     const std::vector<std::string>& smart_hosts, uint32_t source, bool* depends) {
  *depends = false;
  const std::vector<std::string>& hosts = smart_hosts.empty() ? question.hosts : smart_hosts;
  if (!hosts.empty()) return book.match(question.domain, hosts, source);
  if (mx::RulePtr certain = book.certain_match(question.domain)) return certain;
  *depends = std::any_of(book.rules().begin(), book.rules().end(),
                         [](const mx::RulePtr& rule) { return !rule->is_template(); });
  return *depends ? book.match(question.domain, std::vector<std::string>{kNobodysHost}, source) : nullptr;
}

json path_json(const conf::Config& config, const mx::RuleBook& book, const conf::ConfigWords& words,
               const EffectiveQuestion& question, const conf::Source& source) {
  bool depends = false;
  uint32_t index = 0;
  const conf::DestinationSettings& base = config.settings_for(question.domain, &index);
  std::vector<std::string> smart_hosts;
  for (const conf::SmartHost& host : base.smart_hosts) smart_hosts.push_back(host.host);
  const mx::RulePtr rule = rule_for(book, question, smart_hosts, source.id, &depends);
  const conf::DestinationSettings settings = mx::settings_with(rule.get(), base);
  const mx::PathLimits limits = mx::limits_for(rule.get(), base, source.warmup);
  json all = json::array();
  for (const admin::LimitView& view : admin::limit_views(rule.get(), limits, settings))
    all.push_back(setting_json(view, said_below(config, words, index, view.key)));
  return {{"rule", rule == nullptr ? "" : rule->name},
          {"rule_where", rule == nullptr ? "" : rule->file + ":" + std::to_string(rule->line)},
          {"depends_on_mx", depends},
          {"smart_hosts", smart_hosts},
          {"settings", std::move(all)}};
}

std::string rule_line(const json& path) {
  const std::string name = text_of(path, "rule");
  const std::string rule =
      name.empty() ? "no rule matches" : "rule " + name + "  [" + text_of(path, "rule_where") + "]";
  if (!member(path, "smart_hosts").empty())
    return rule + "\nIt goes by smart_hosts: masks on MX hosts are compared with the names of these.";
  if (!is_true(path, "depends_on_mx")) return rule;
  return "the rule depends on the MX hosts: give them with --mx, or ask\n`penstock explain`. At hosts that "
         "no other rule is for: " +
         rule;
}

}  // namespace

conf::Result<json> effective_settings(const conf::Config& config, const mx::RuleBook& book,
                                      const conf::ConfigWords& words, const EffectiveQuestion& question) {
  json paths = json::array();
  for (const conf::Source& source : config.sources) {
    if (!question.source.empty() && source.name != question.source) continue;
    json path = path_json(config, book, words, question, source);
    path["source"] = source.name;
    bool known = false;
    for (json& other : paths) {
      json names = other["source"];
      std::swap(names, path["source"]);  // all but the name
      known = other == path;
      std::swap(names, path["source"]);
      if (!known) continue;
      other["source"] = text_of(other, "source") + ", " + source.name;
      break;
    }
    if (!known) paths.push_back(std::move(path));
  }
  if (paths.empty())
    return conf::Error{conf::ErrorCode::kNotFound, "no [[source]] is named \"" + question.source + "\""};
  return json{{"domain", question.domain}, {"hosts", question.hosts}, {"paths", std::move(paths)}};
}

std::string effective_text(const json& effective) {
  std::string out;
  const std::string domain = text_of(effective, "domain");
  for (const json& path : member(effective, "paths")) {
    line(&out, "");
    out += wrapped("", fmt::format("Mail to {} from {}: {}", domain.empty() ? "other domains" : domain,
                                   text_of(path, "source"), rule_line(path)));
    size_t key_width = 0, value_width = 0;
    for (const json& setting : member(path, "settings")) {
      key_width = std::max(key_width, text_of(setting, "key").size());
      value_width = std::max(value_width, std::min<size_t>(text_of(setting, "value").size(), 30));
    }
    for (const json& setting : member(path, "settings")) {
      out += placed("  ",
                    fmt::format("{:<{}}  {:<{}}", text_of(setting, "key"), key_width,
                                text_of(setting, "value"), value_width),
                    text_of(setting, "where"));
      for (const json& over : member(setting, "over"))
        line(&out, "  {:<{}}  over {} at {}", "", key_width, text_of(over, "value"), text_of(over, "where"));
    }
  }
  return out;
}

}  // namespace relay::cli
