#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/daemon_call.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/queue_view.h"
#include "relay/cli/waiting_text.h"

namespace relay::cli {
namespace {

using nlohmann::json;

struct ReloadOptions {
  std::string socket;
  bool as_json = false;
};

void print_lines(const json& lines, std::FILE* out, const char* before) {
  for (const json& line : lines)
    if (line.is_string()) std::fprintf(out, "%s%s\n", before, printable(line.get<std::string>()).c_str());
}

int reload(const Invocation& invocation, const ReloadOptions& options) {
  int exit_code = kDone;
  const std::optional<json> done =
      ask(invocation, options.socket, "POST", "/v1/reload", json::object(), &exit_code);
  if (!done) return exit_code;
  if (options.as_json) {
    print_json(*done);
    return kDone;
  }
  print_lines(member(*done, "problems"), stderr, "");  // warnings, as check says them
  const std::string file = text_of(*done, "file");
  const json& changes = member(*done, "changes");
  if (changes.empty()) {
    std::printf("%s was read again: nothing in it has changed, nor in a file that it names.\n", file.c_str());
  } else {
    std::printf("%s was read again:\n", file.c_str());
    print_lines(changes, stdout, "  ");
  }
  const std::string waiting = text_of(*done, "waits_for_restart");
  if (!waiting.empty()) std::fputs(wrapped("", "Waits for a restart: " + printable(waiting)).c_str(), stdout);
  return kDone;
}

}  // namespace

void add_reload_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<ReloadOptions>();
  CLI::App* command = parser->add_subcommand(
      "reload", "the running relay reads its configuration again and says what changed");
  command->add_option("--socket", options->socket, "admin socket; default: the one in the configuration");
  command->add_flag("--json", options->as_json, "print the answer as JSON");
  command->callback([=] { invocation->run = [=] { return reload(*invocation, *options); }; });
}

}  // namespace relay::cli
