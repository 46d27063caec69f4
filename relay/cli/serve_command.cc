#include <CLI/CLI.hpp>

#include "relay/cli/command.h"
#include "relay/host/daemon.h"

namespace relay::cli {

void add_serve_command(CLI::App* parser, Invocation* invocation) {
  CLI::App* command = parser->add_subcommand("serve", "run the relay in the foreground until SIGTERM");
  command->footer(
      "SIGHUP reads the configuration and the certificates again, SIGUSR1 opens the delivery log again.");
  command->callback(
      [invocation] { invocation->run = [invocation] { return run_daemon(invocation->config_path); }; });
}

}  // namespace relay::cli
