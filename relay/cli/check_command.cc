#include <CLI/CLI.hpp>
#include <cstdio>

#include "conf/config_parser.h"
#include "dkim/key_store.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"

namespace relay::cli {
namespace {

int check(const std::string& path) {
  const conf::ConfigPtr config = read_config(path);
  if (config == nullptr) return kUsage;
  std::vector<conf::Problem> problems;
  const bool keys_good =
      dkim::KeyStore::load(config->dkim, path, *dkim::make_signer(config->dkim.engine), &problems) != nullptr;
  for (const conf::Problem& problem : problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
  if (!keys_good) return kUsage;
  std::printf("%s: good (%zu listeners, %zu sources, %zu destinations, %zu users, %zu DKIM keys)\n",
              path.c_str(), config->listeners.size(), config->sources.size(), config->destinations.size(),
              config->users.size(), config->dkim.keys.size());
  return kDone;
}

}  // namespace

conf::ConfigPtr read_config(const std::string& path) {
  const conf::ParsedConfig parsed = conf::load_config(path);
  for (const conf::Problem& problem : parsed.problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
  return parsed.config;
}

void add_check_command(CLI::App* parser, Invocation* invocation) {
  CLI::App* command =
      parser->add_subcommand("check", "read the configuration and report everything wrong in it");
  command->callback(
      [invocation] { invocation->run = [invocation] { return check(invocation->config_path); }; });
}

}  // namespace relay::cli
