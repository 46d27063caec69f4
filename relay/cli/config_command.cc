#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "conf/config_words.h"
#include "conf/read_file.h"
#include "relay/admin/mx_order.h"
#include "relay/cli/all_settings.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/daemon_call.h"
#include "relay/cli/effective_settings.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/queue_view.h"
#include "relay/cli/waiting_text.h"
#include "relay/host/configuration.h"

namespace relay::cli {
namespace {

using nlohmann::json;

struct ConfigOptions {
  bool effective = false, as_json = false;
  std::string address, source;
  std::vector<std::string> hosts;
};

constexpr const char* kPrecedence =
    "Who decides a key, the first of these that sets it:\n"
    "  1. the [[rule]] that matches: its own value, then what it inherits. A shipped rule only makes a "
    "limit\n"
    "     of 2 and 3 lower, and TLS stricter\n"
    "  2. the first [[destination]] whose domains match\n"
    "  3. [defaults]\n"
    "  4. built in\n";

json rules_json(const mx::RuleBook& book) {
  json rules = json::array();
  for (const mx::RulePtr& rule : book.rules())
    rules.push_back({{"name", rule->name},
                     {"where", rule->file + ":" + std::to_string(rule->line)},
                     {"shipped", rule->shipped},
                     {"template", rule->is_template()},
                     {"mx", rule->mx},
                     {"domains", rule->domains}});
  return rules;
}

std::string masks_text(const json& rule) {
  std::string text;
  for (const char* key : {"domains", "mx"}) {
    std::string masks;
    for (const json& mask : member(rule, key)) masks += (masks.empty() ? "" : " ") + mask.get<std::string>();
    if (!masks.empty()) text += (text.empty() ? "" : "; ") + std::string(key) + " " + printable(masks);
  }
  return text;
}

std::string rules_text(const json& rules) {
  std::string out = "\nRules, the first that matches decides:\n";
  for (const json& rule : rules) {
    if (is_true(rule, "template")) continue;
    out += placed("  ", fmt::format("{:<24}  {}", text_of(rule, "name"), masks_text(rule)),
                  '[' + text_of(rule, "where") + ']');
  }
  return out;
}

// As the file has it: what it does not set is built in.
int show_written(const conf::Config& config, const conf::ConfigWords& words, bool as_json) {
  json keys = json::array();
  for (const conf::ConfigWords::Entry& entry : words.entries()) {
    if (as_json) {
      keys.push_back(
          {{"table", entry.table}, {"key", entry.key}, {"value", entry.value}, {"line", entry.line}});
    } else {
      std::printf("%s:%d: %s%s%s = %s\n", config.file.c_str(), entry.line, printable(entry.table).c_str(),
                  entry.table.empty() ? "" : " ", printable(entry.key).c_str(),
                  printable(entry.value).c_str());
    }
  }
  if (as_json) print_json({{"file", config.file}, {"keys", std::move(keys)}});
  return kDone;
}

// One answer for the domain; without one for each [[destination]] and for all other domains.
int show_effective(const Configuration& read, const conf::ConfigWords& words, const ConfigOptions& options) {
  std::vector<std::string> domains;
  if (!options.address.empty()) {
    const conf::Result<std::string> domain = admin::domain_of(options.address);
    if (!domain.ok()) return complain(domain.error().detail, kUsage);
    domains.push_back(domain.value());
  } else {
    for (const conf::Destination& destination : read.config->destinations)
      domains.push_back(destination.domains.front());
    domains.emplace_back();
  }
  json answers = json::array();
  for (const std::string& domain : domains) {
    conf::Result<json> told =
        effective_settings(*read.config, *read.book, words, {domain, options.hosts, options.source});
    if (!told.ok()) return complain(told.error().detail, kUsage);
    answers.push_back(std::move(told).value());
  }
  json rules = rules_json(*read.book);
  json settings = json::array();
  if (options.address.empty()) {
    const conf::Result<std::string> text = conf::read_file(read.config->file);
    if (!text.ok()) return complain("cannot read " + read.config->file + ": " + text.error().detail, kUsage);
    settings = all_settings(read.config->file, text.value(), words);
  }
  if (options.as_json) {
    print_json({{"file", read.config->file},
                {"effective", std::move(answers)},
                {"rules", std::move(rules)},
                {"settings", std::move(settings)}});
    return kDone;
  }
  std::string out = kPrecedence;
  for (const json& answer : answers) out += effective_text(answer);
  if (options.address.empty()) out += rules_text(rules) + settings_text(settings);
  std::fputs(out.c_str(), stdout);
  return kDone;
}

int show(const Invocation& invocation, const ConfigOptions& options) {
  if (!options.effective && (!options.address.empty() || !options.hosts.empty() || !options.source.empty()))
    return complain("a domain, --mx and --source go with --effective", kUsage);
  const conf::ConfigWords words = conf::ConfigWords::load(invocation.config_path);
  const Configuration read = load_configuration(invocation.config_path);
  if (read.config == nullptr) {
    for (const conf::Problem& problem : read.problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
    return kUsage;
  }
  return options.effective ? show_effective(read, words, options)
                           : show_written(*read.config, words, options.as_json);
}

}  // namespace

void add_config_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<ConfigOptions>();
  CLI::App* config = parser->add_subcommand("config", "what the configuration says");
  config->require_subcommand(1);
  CLI::App* command = config->add_subcommand("show", "every key that is set, with its line");
  command->add_flag("--effective", options->effective,
                    "every key with who decides it; with a domain: what holds for mail to it");
  command->add_option("domain", options->address, "with --effective: a recipient domain, or an address");
  command->add_option("--mx", options->hosts, "with --effective: an MX host of the receiver; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--source", options->source, "with --effective: only from the [[source]] of this name");
  command->add_flag("--json", options->as_json, "print the answer as JSON");
  command->callback([=] { invocation->run = [=] { return show(*invocation, *options); }; });
}

}  // namespace relay::cli
