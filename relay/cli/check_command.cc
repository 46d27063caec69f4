#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "conf/config_parser.h"
#include "conf/config_words.h"
#include "conf/draft_config.h"
#include "dkim/key_store.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/waiting_text.h"
#include "relay/host/configuration.h"
#include "relay/host/login_secrets.h"
#include "relay/host/return_keys.h"
#include "relay/host/source_addresses.h"
#include "relay/host/tls_setup.h"
#include "relay/host/written_places.h"

namespace relay::cli {
namespace {

// "file:line:1: ", or without the line when the key is not set there.
std::string place_of(const conf::Config& config, const conf::ConfigWords& words, const std::string& table,
                     const std::string& key) {
  for (const conf::ConfigWords::Entry& entry : words.entries()) {
    if (entry.table == table && entry.key == key)
      return config.file + ":" + std::to_string(entry.line) + ":1: ";
  }
  return config.file + ": ";
}

// What the file names and the machine does not have; one line each.
std::vector<std::string> missing_things(const conf::Config& config, const conf::ConfigWords& words) {
  std::vector<std::string> missing;
  for (const auto& [key, file] :
       {std::pair("certificate", config.tls_certificate), std::pair("key", config.tls_key),
        std::pair("ca_file", config.tls_ca_file)}) {
    if (!file.empty() && ::access(file.c_str(), R_OK) != 0)
      missing.push_back(place_of(config, words, "[tls]", key) + "[tls] " + key + ": cannot read " + file +
                        ": " + std::strerror(errno));
  }
  if (!config.run_as.empty() && ::getpwnam(config.run_as.c_str()) == nullptr)
    missing.push_back(place_of(config, words, "", "run_as") + "run_as: there is no user " + config.run_as +
                      "; make it: adduser --system --group " + config.run_as);
  return missing;
}

// Where the relay is to write.
void look_at_places(const conf::Config& config, const conf::ConfigWords& words,
                    std::vector<std::string>* missing) {
  for (const WrongPlace& wrong : wrong_places(config)) {
    const std::string what = wrong.table + " " + wrong.key + ": " + wrong.what;
    const std::string place = place_of(config, words, wrong.table, wrong.key);
    if (wrong.warning)
      std::fprintf(stderr, "%swarning: %s\n", place.c_str(), what.c_str());
    else
      missing->push_back(place + what);
  }
}

// As a start reads it: a wrong key, an encrypted one or no certificate is told here.
void read_tls(const conf::Config& config, std::vector<std::string>* missing) {
  if (!missing->empty()) return;
  const auto contexts = load_tls(
      config, [](const std::string& warning) { std::fprintf(stderr, "warning: %s\n", warning.c_str()); });
  if (!contexts.ok()) missing->push_back(config.file + ": " + contexts.error().detail);
  const auto secrets = LoginSecrets::read(config);
  if (secrets.ok()) return;
  // A credential is there only when the service manager starts us.
  if (secrets.error().code == conf::ErrorCode::kUnavailable) {
    std::fprintf(stderr, "warning: %s\n", secrets.error().detail.c_str());
  } else {
    missing->push_back(config.file + ": " + secrets.error().detail);
  }
}

int check(const std::string& path) {
  const conf::ConfigWords words = conf::ConfigWords::load(path);
  const Configuration loaded = load_configuration(path);
  for (const conf::Problem& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
  if (loaded.config == nullptr) return kUsage;
  const conf::ConfigPtr& config = loaded.config;
  const auto shipped = std::ranges::count_if(config->rules, &conf::MxRule::shipped);
  std::vector<conf::Problem> problems;
  const bool keys_good = dkim::KeyStore::load(config->dkim, path, *dkim::make_signer(config->dkim.engine),
                                              &problems, config->run_as) != nullptr;
  const bool return_keys_good =
      read_return_keys(*config, &problems) != nullptr || config->returns.keys.empty();
  for (const conf::Problem& problem : problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
  std::vector<std::string> missing = missing_things(*config, words);
  for (const conf::Source* source : sources_of_other_machines(*config))
    std::fprintf(stderr, "%swarning: %s\n",
                 place_of(*config, words, "[[source]] " + source->name, "address").c_str(),
                 other_machine_text(*source).c_str());
  for (const conf::Listener* listener : listeners_of_other_machines(*config))
    std::fprintf(stderr, "%swarning: [[listener]] \"%s\" address: %s is not an address of this machine\n",
                 place_of(*config, words, "[[listener]] " + listener->name, "address").c_str(),
                 listener->name.c_str(), listener->address.c_str());
  read_tls(*config, &missing);
  look_at_places(*config, words, &missing);
  for (const std::string& line : missing) std::fprintf(stderr, "%s\n", line.c_str());
  if (!keys_good || !return_keys_good || !missing.empty()) return kUsage;
  std::printf(
      "%s: good (%s, %s, %s, %s, %s, %s and %zu shipped ones)\n", path.c_str(),
      counted(static_cast<int64_t>(config->listeners.size()), "listener").c_str(),
      counted(static_cast<int64_t>(config->sources.size()), "source").c_str(),
      counted(static_cast<int64_t>(config->destinations.size()), "destination").c_str(),
      counted(static_cast<int64_t>(config->users.size()), "user").c_str(),
      counted(static_cast<int64_t>(config->dkim.keys.size()), "DKIM key").c_str(),
      counted(static_cast<int64_t>(config->rules.size() - static_cast<size_t>(shipped)), "rule").c_str(),
      static_cast<size_t>(shipped));
  return kDone;
}

}  // namespace

int complain(const std::string& what, int code) {
  std::fprintf(stderr, "penstock: %s\n", what.c_str());
  return code;
}

conf::ConfigPtr read_config(const std::string& path) {
  const conf::ParsedConfig parsed = conf::load_config(path);
  for (const conf::Problem& problem : parsed.problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
  return parsed.config;
}

conf::ConfigPtr places_of(const Invocation& invocation) {
  conf::DraftConfig draft = conf::load_draft(invocation.config_path);
  if (draft.config == nullptr) {
    std::fprintf(stderr, "penstock: %s\n", draft.trouble.c_str());
  } else if (!draft.trouble.empty()) {
    std::fprintf(stderr, "penstock: warning: the configuration has errors: %s\n", draft.trouble.c_str());
  }
  return std::move(draft.config);
}

std::vector<std::string> name_servers(const Invocation& invocation, const std::string& given) {
  if (!given.empty()) return {given};
  const conf::DraftConfig draft = conf::load_draft(invocation.config_path);
  return draft.config == nullptr ? std::vector<std::string>() : draft.config->dns.servers;
}

void add_check_command(CLI::App* parser, Invocation* invocation) {
  CLI::App* command =
      parser->add_subcommand("check", "read the configuration and report everything wrong in it");
  command->callback(
      [invocation] { invocation->run = [invocation] { return check(invocation->config_path); }; });
}

}  // namespace relay::cli
