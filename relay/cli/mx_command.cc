#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "relay/admin/admin_client.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/daemon_call.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/mx_text.h"
#include "relay/cli/operator_name.h"
#include "relay/cli/waiting_text.h"

namespace relay::cli {
namespace {

using nlohmann::json;

constexpr int kPathsWithoutQuestion = 10;  // an order to more of them is asked about
constexpr int kMessagesWithoutQuestion = 100;

struct MxOptions {
  std::string socket;
  bool as_json = false;
  std::string domain, rule, site, source, stream;
  std::string block_for, why;
  bool all = false, automatic = false, dry_run = false, yes = false;
  unsigned limit = 50;
};

// The body of an order, or the parameters of a question; nothing (and a message) when it is not clear what is
// meant.
std::optional<json> target_of(const MxOptions& options) {
  const int ways = (options.domain.empty() ? 0 : 1) + (options.rule.empty() ? 0 : 1) +
                   (options.site.empty() ? 0 : 1) + (options.all ? 1 : 0);
  const bool of_stream = !options.stream.empty() && ways == 0 && options.source.empty();
  if (!of_stream && (ways > 1 || !options.stream.empty() || (ways == 0 && options.source.empty()))) {
    std::fprintf(stderr,
                 "penstock: say which paths: a recipient domain, --rule, --site, --source or --all; of the "
                 "first three and --all one; --stream stands alone, it is about mail and not about paths\n");
    return std::nullopt;
  }
  json target = json::object();
  const std::pair<const char*, const std::string*> members[] = {{"domain", &options.domain},
                                                                {"rule", &options.rule},
                                                                {"site", &options.site},
                                                                {"source", &options.source},
                                                                {"stream", &options.stream}};
  for (const auto& [key, value] : members) {
    if (!value->empty()) target[key] = *value;
  }
  if (options.all) target["all"] = true;
  return target;
}

int print(const MxOptions& options, const json& answer, const std::string& text) {
  if (options.as_json) {
    print_json(answer);
  } else {
    std::fputs(text.c_str(), stdout);
  }
  return kDone;
}

int status(const Invocation& invocation, const MxOptions& options) {
  int exit_code = kDone;
  const std::string target = "/v1/mx?limit=" + std::to_string(options.limit);
  const std::optional<json> answer = ask(invocation, options.socket, "GET", target, json(), &exit_code);
  return answer ? print(options, *answer, mx_status_text(*answer)) : exit_code;
}

int show(const Invocation& invocation, const MxOptions& options) {
  const std::optional<json> meant = target_of(options);
  if (!meant) return kUsage;
  std::string target = "/v1/mx/show";
  char separator = '?';
  for (const auto& [key, value] : meant->items()) {
    if (!value.is_string()) continue;
    target += separator + key + "=" + admin::percent_encode(value.get<std::string>());
    separator = '&';
  }
  int exit_code = kDone;
  const std::optional<json> answer = ask(invocation, options.socket, "GET", target, json(), &exit_code);
  return answer ? print(options, *answer, mx_paths_text(*answer)) : exit_code;
}

// True: it is to be done. What changes many paths at once is asked about.
bool confirm(const MxOptions& options, const std::string& action, const json& counted) {
  const bool of_stream = !options.stream.empty();
  const int64_t count = number_of(counted, of_stream ? "messages" : "paths");
  const int most = of_stream ? kMessagesWithoutQuestion : kPathsWithoutQuestion;
  const char* const noun = of_stream ? "messages" : "paths";
  if (options.yes || count <= most) return true;
  std::fputs(mx_done_text("would " + action, counted).c_str(), stderr);
  if (!::isatty(STDIN_FILENO)) {
    std::fprintf(stderr, "penstock: these are more than %d %s; nothing is done without --yes\n", most, noun);
    return false;
  }
  std::fprintf(stderr, "%s %lld %s? Type yes: ", action.c_str(), static_cast<long long>(count), noun);
  std::string line;
  return std::getline(std::cin, line) && line == "yes";
}

int order(const Invocation& invocation, const MxOptions& options, const std::string& action) {
  std::optional<json> body = target_of(options);
  if (!body) return kUsage;
  if (!options.block_for.empty()) (*body)["for"] = options.block_for;
  if (!options.why.empty()) (*body)["why"] = options.why;
  if (options.automatic) (*body)["automatic"] = true;
  (*body)["who"] = operator_name();
  int exit_code = kDone;
  json question = *body;
  question["dry_run"] = true;
  const std::optional<json> counted =
      ask(invocation, options.socket, "POST", "/v1/mx/" + action, question, &exit_code);
  if (!counted) return exit_code;
  if (options.dry_run) return print(options, *counted, mx_done_text("would " + action, *counted));
  if (!confirm(options, action, *counted)) return kFailed;
  const std::optional<json> answer =
      ask(invocation, options.socket, "POST", "/v1/mx/" + action, *body, &exit_code);
  return answer ? print(options, *answer, mx_done_text(action, *answer)) : exit_code;
}

void add_target(CLI::App* command, MxOptions* options) {
  command->add_flag("--all", options->all, "every path; with --source those from there");
  command->add_option("domain", options->domain, "a recipient domain, or an address");
  command->add_option("--rule", options->rule, "paths under the rule of this name");
  command->add_option("--site", options->site, "site (MX hosts) or one of its hosts, a mask");
  command->add_option("--source", options->source,
                      "only from the [[source]] of this name; alone: all its paths");
}

}  // namespace

void add_mx_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<MxOptions>();
  CLI::App* mx = parser->add_subcommand("mx", "the limits of the running relay: look, block, unblock");
  mx->require_subcommand(1);
  mx->fallthrough();
  mx->add_option("--socket", options->socket, "admin socket; default: the one in the configuration");
  mx->add_flag("--json", options->as_json, "print the answer as JSON");
  CLI::App* all =
      mx->add_subcommand("status", "paths with mail, connections or something that holds them back");
  all->add_option("--limit", options->limit, "how many at most")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  all->callback([=] { invocation->run = [=] { return status(*invocation, *options); }; });
  CLI::App* one = mx->add_subcommand("show", "all about some paths");
  add_target(one, options.get());
  one->callback([=] { invocation->run = [=] { return show(*invocation, *options); }; });
  const std::pair<const char*, const char*> actions[] = {
      {"block", "send nothing there for a while, or until it is unblocked; holds for paths to come too"},
      {"unblock", "lift an order to block"},
      {"reset", "unblock, and forget the learned rate, the warm-up and the pauses"}};
  for (const auto& [name, help] : actions) {
    CLI::App* command = mx->add_subcommand(name, help);
    add_target(command, options.get());
    const std::string action = name;
    if (action != "reset")
      command->add_option("--stream", options->stream,
                          "all mail of the [[stream]] of this name, a mask, wherever it goes");
    command->add_flag("--dry-run", options->dry_run, "only say which paths are meant");
    command->add_flag("--yes", options->yes, "do not ask, however many paths are meant");
    if (action == "unblock")
      command->add_flag("--automatic", options->automatic, "also a block that refusals brought");
    if (action == "block") {
      command->add_option("--for", options->block_for,
                          "how long (\"90s\", \"3h\", \"5d\"); default: until unblocked");
      command->add_option("--why", options->why, "the reason, for the delivery log");
    }
    command->callback([=] { invocation->run = [=] { return order(*invocation, *options, action); }; });
  }
}

}  // namespace relay::cli
