#include <CLI/CLI.hpp>
#include <cstdio>

#include "relay/cli/cli.h"
#include "relay/cli/command.h"

namespace relay::cli {

void add_version_command(CLI::App* parser, Invocation* invocation) {
  CLI::App* command = parser->add_subcommand("version", "print the version");
  command->callback([invocation] {
    invocation->run = [] {
      std::puts("penstock " PENSTOCK_VERSION);
      return static_cast<int>(kDone);
    };
  });
}

}  // namespace relay::cli
