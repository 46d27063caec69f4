#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "relay/admin/admin_client.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/daemon_call.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/queue_view.h"
#include "relay/cli/waiting_text.h"

namespace relay::cli {
namespace {

using nlohmann::json;

constexpr int64_t kMessagesWithoutQuestion = 100;  // an order to more of them is asked about

struct QueueOptions {
  std::string socket;
  bool as_json = false, only_header = false;
  std::vector<std::string> ids;
  std::array<std::string, 7> filter;  // in the order of kFilters
  bool all = false;
  bool yes = false;
  bool dry_run = false;
  unsigned limit = 100;
  std::string by = "site";
};

struct FilterOption {
  const char* key;   // in the admin API
  const char* flag;  // on the command line
  const char* help;
};

constexpr std::array<FilterOption, 7> kFilters = {{
    {"sender", "--sender", "sender: an address, a domain mask (\"*.example.org\"), or \"<>\""},
    {"stream", "--stream", "name of its [[stream]], a mask"},
    {"domain", "--domain", "recipient domain, a mask"},
    {"site", "--site", "site (MX hosts) or one of its hosts, a mask"},
    {"older_than", "--older-than", "accepted longer ago than this (\"90s\", \"3h\", \"5d\")"},
    {"younger_than", "--younger-than", "accepted within this time"},
    {"reason", "--reason", "part of the last reply, of its status (\"4.7.1\"), or of why it waits; any case"},
}};

int show(const Invocation& invocation, const QueueOptions& options, const std::string& target,
         std::string (*view)(const json&)) {
  int exit_code = kDone;
  const std::optional<json> answer = ask(invocation, options.socket, "GET", target, json(), &exit_code);
  if (!answer) return exit_code;
  if (options.as_json) {
    print_json(*answer);
  } else {
    std::fputs(view(*answer).c_str(), stdout);
  }
  return kDone;
}

std::string list_target(const QueueOptions& options) {
  std::string target = "/v1/queue/messages?limit=" + std::to_string(options.limit);
  for (size_t i = 0; i < kFilters.size(); ++i) {
    if (!options.filter[i].empty()) {
      target += std::string("&") + kFilters[i].key + "=" + admin::percent_encode(options.filter[i]);
    }
  }
  return target;
}

// The body of the order, or nothing (and a message) when it is not clear what is meant.
std::optional<json> order_of(const QueueOptions& options) {
  json filter = json::object();
  for (size_t i = 0; i < kFilters.size(); ++i) {
    if (!options.filter[i].empty()) filter[kFilters[i].key] = options.filter[i];
  }
  const int ways = (options.ids.empty() ? 0 : 1) + (filter.empty() ? 0 : 1) + (options.all ? 1 : 0);
  if (ways != 1) {
    std::fprintf(stderr, "penstock: say which messages: ids, or filters, or --all; one of the three\n");
    return std::nullopt;
  }
  if (!options.ids.empty()) return json{{"ids", options.ids}};
  if (options.all) return json{{"all", true}};
  return json{{"filter", std::move(filter)}};
}

void print_partly(const json& answer) {
  const int64_t partly = number_of(answer, "partly");
  if (partly == 0) return;
  std::fprintf(
      stderr,
      partly == 1
          ? "%s more has other pending recipients that do not match; it is left alone (name it by id).\n"
          : "%s more have other pending recipients that do not match; they are left alone (name them by "
            "id).\n",
      grouped(partly).c_str());
}

std::string matching(int64_t messages) {
  return counted(messages, "message") + (messages == 1 ? " matches" : " match");
}

// True when the operator wants it done. `order` is narrowed to what was counted: mail that comes in meanwhile
// stays as it is. What is for good is always asked about, the rest when it is about many messages.
bool confirm(const QueueOptions& options, const std::string& action, const json& counts, json* order) {
  const int64_t matched = number_of(counts, "matched");
  if (options.ids.empty() && counts.contains("up_to")) {
    order->erase("all");
    (*order)["filter"]["up_to"] = counts["up_to"];
  }
  const bool for_good = action == "drop" || action == "fail";
  if (options.yes || (!for_good && matched <= kMessagesWithoutQuestion)) return true;
  const std::string count = counted(matched, "message");
  if (!::isatty(STDIN_FILENO)) {
    std::fprintf(stderr, "penstock: %s; nothing is %s without --yes\n", matching(matched).c_str(),
                 action == "drop"   ? "dropped"
                 : action == "fail" ? "given up"
                                    : "done");
    return false;
  }
  if (action == "drop") {
    std::fprintf(stderr, "Drop %s for good, without a report to the sender? Type yes: ", count.c_str());
  } else if (action == "fail") {
    std::fprintf(stderr, "Give %s up for good, with a report to the sender? Type yes: ", count.c_str());
  } else {
    std::fprintf(stderr, "%s %s? Type yes: ", action.c_str(), count.c_str());
  }
  std::string line;
  return std::getline(std::cin, line) && line == "yes";
}

// Those of the ids that were named and are not in the queue. True: there are some.
bool print_unknown(const json& answer) {
  const json& unknown = member(answer, "unknown");
  if (!unknown.is_array() || unknown.empty()) return false;
  for (const json& id : unknown)
    if (id.is_string())
      std::fprintf(stderr, "penstock: %s is not in the queue\n", printable(id.get<std::string>()).c_str());
  return true;
}

int act(const Invocation& invocation, const QueueOptions& options, const std::string& action) {
  std::optional<json> order = order_of(options);
  if (!order) return kUsage;
  const std::string target = "/v1/queue/" + action;
  int exit_code = kDone;
  json count = *order;
  count["dry_run"] = true;
  const std::optional<json> counts = ask(invocation, options.socket, "POST", target, count, &exit_code);
  if (!counts) return exit_code;
  print_partly(*counts);
  const bool some_unknown = print_unknown(*counts);
  if (const std::string hint = text_of(*counts, "hint"); !hint.empty())
    std::fputs(wrapped("", "penstock: " + printable(hint)).c_str(), stderr);
  const bool for_good = action == "drop" || action == "fail";
  if (options.dry_run || (for_good && number_of(*counts, "matched") == 0)) {
    if (options.as_json) {
      print_json(*counts);
    } else {
      std::printf("%s.\n", matching(number_of(*counts, "matched")).c_str());
    }
    return some_unknown ? kFailed : kDone;
  }
  if (!confirm(options, action, *counts, &*order)) return kFailed;
  const std::optional<json> answer = ask(invocation, options.socket, "POST", target, *order, &exit_code);
  if (!answer) return exit_code;
  const bool left_meanwhile = !some_unknown && print_unknown(*answer);
  if (options.as_json) {
    print_json(*answer);
  } else {
    std::printf("%s: %s of %s.\n", action.c_str(), grouped(number_of(*answer, "applied")).c_str(),
                counted(number_of(*answer, "matched"), "message").c_str());
    std::fputs(paused_text(*answer).c_str(), stdout);
  }
  return some_unknown || left_meanwhile ? kFailed : kDone;
}

void add_filters(CLI::App* command, QueueOptions* options) {
  for (size_t i = 0; i < kFilters.size(); ++i) {
    command->add_option(kFilters[i].flag, options->filter[i], kFilters[i].help);
  }
}

using QueueOptionsPtr = std::shared_ptr<QueueOptions>;

void add_readers(CLI::App* queue, Invocation* invocation, const QueueOptionsPtr& options) {
  CLI::App* summary = queue->add_subcommand("summary", "counts, and what waits where and why");
  summary->add_option("--by", options->by, "waiting mail in groups: domain, site, source, rule or stream")
      ->check(CLI::IsMember({"domain", "site", "source", "rule", "stream"}))
      ->capture_default_str();
  summary->callback([=] {
    invocation->run = [=] {
      return show(*invocation, *options, "/v1/queue/summary?by=" + options->by, summary_view);
    };
  });
  CLI::App* list = queue->add_subcommand("list", "queued messages, oldest first");
  add_filters(list, options.get());
  list->add_option("--limit", options->limit, "how many at most")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  list->callback([=] {
    invocation->run = [=] { return show(*invocation, *options, list_target(*options), list_view); };
  });
  CLI::App* one = queue->add_subcommand("show", "one message with all its recipients");
  one->add_option("id", options->ids, "message id")->required()->expected(1);
  one->callback([=] {
    invocation->run = [=] {
      const std::string target = "/v1/queue/messages/" + admin::percent_encode(options->ids.front());
      return show(*invocation, *options, target, message_view);
    };
  });
}

// Its octets as they are; on a terminal what it would obey is made harmless.
int view(const Invocation& invocation, const QueueOptions& options) {
  int exit_code = kDone;
  const std::string target = "/v1/queue/messages/" + admin::percent_encode(options.ids.front()) + "/content";
  std::optional<std::string> content = fetch(invocation, options.socket, target, &exit_code);
  if (!content) return exit_code;
  if (options.only_header) {
    const size_t end = content->find("\r\n\r\n");
    if (end != std::string::npos) content->resize(end + 2);
  }
  if (::isatty(STDOUT_FILENO)) {
    std::erase(*content, '\r');
    for (char& c : *content)
      if (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') c = '?';
  }
  std::fwrite(content->data(), 1, content->size(), stdout);
  return kDone;
}

void add_view(CLI::App* queue, Invocation* invocation, const QueueOptionsPtr& options) {
  CLI::App* command = queue->add_subcommand("view", "the content of a message, as it is in the spool");
  command->add_option("id", options->ids, "message id")->required()->expected(1);
  command->add_flag("--header", options->only_header, "only its header");
  command->callback([=] { invocation->run = [=] { return view(*invocation, *options); }; });
}

void add_action(CLI::App* queue, Invocation* invocation, const QueueOptionsPtr& options,
                const std::string& name, const std::string& help) {
  CLI::App* command = queue->add_subcommand(name, help);
  command->add_option("id", options->ids, "message ids");
  add_filters(command, options.get());
  command->add_flag("--all", options->all, "every message");
  command->add_flag("--dry-run", options->dry_run, "only count what matches");
  command->add_flag("--yes", options->yes, "do not ask");
  command->callback([=] { invocation->run = [=] { return act(*invocation, *options, name); }; });
}

}  // namespace

void add_queue_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<QueueOptions>();
  CLI::App* queue = parser->add_subcommand("queue", "look at the queue of the running relay and change it");
  queue->require_subcommand(0, 1);
  queue->footer("Without a command: the summary.");
  queue->fallthrough();
  queue->parse_complete_callback([=] {
    if (invocation->run) return;
    invocation->run = [=] {
      return show(*invocation, *options, "/v1/queue/summary?by=" + options->by, summary_view);
    };
  });
  queue->add_option("--socket", options->socket, "admin socket; default: the one in the configuration");
  queue->add_flag("--json", options->as_json, "print the answer as JSON");
  add_readers(queue, invocation, options);
  add_view(queue, invocation, options);
  add_action(queue, invocation, options, "retry", "try now");
  add_action(queue, invocation, options, "hold", "keep, do not try until released");
  add_action(queue, invocation, options, "release", "end a hold");
  add_action(queue, invocation, options, "drop", "remove for good, without a report to the sender");
  add_action(queue, invocation, options, "fail", "give up for good, with a report to the sender");
}

}  // namespace relay::cli
