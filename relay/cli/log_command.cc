#include <CLI/CLI.hpp>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/json_reader.h"
#include "relay/cli/log_files.h"
#include "relay/cli/log_story.h"

namespace relay::cli {
namespace {

using nlohmann::json;

struct LogOptions {
  std::string what;
  std::string file;
  bool as_json = false;
  unsigned limit = 20;
};

std::optional<std::vector<std::string>> files_of(const Invocation& invocation, const LogOptions& options,
                                                 int* exit_code) {
  std::string path = options.file;
  if (path.empty()) {
    const conf::ConfigPtr config = places_of(invocation);
    *exit_code = kUsage;
    if (config == nullptr) return std::nullopt;
    path = config->log.path;
  }
  conf::Result<std::vector<std::string>> files = log_files(path);
  *exit_code = kFailed;
  if (files.ok()) return std::move(files).value();
  std::fprintf(stderr, "penstock: %s\n", files.error().detail.c_str());
  return std::nullopt;
}

// Shows `use` every event of the files that a cheap look at its line takes.
bool scan(const std::vector<std::string>& files, const std::function<bool(const std::string&)>& may,
          const std::function<void(json)>& use) {
  bool good = true;
  for (const std::string& file : files) {
    const conf::Status read = for_each_line(file, [&](const std::string& line) {
      if (!may(line)) return;
      json event = json::parse(line, nullptr, false);
      if (event.is_object()) use(std::move(event));
    });
    if (read.ok()) continue;
    std::fprintf(stderr, "penstock: %s\n", read.error().detail.c_str());
    good = false;
  }
  return good;
}

int show(const Invocation& invocation, const LogOptions& options) {
  int exit_code = kDone;
  const std::optional<std::vector<std::string>> files = files_of(invocation, options, &exit_code);
  if (!files) return exit_code;
  const LogSearch search(options.what);
  std::deque<std::string> order;  // the latest messages that are meant, the oldest first
  std::set<std::string, std::less<>> meant;
  bool more = false;
  bool good = scan(
      *files, [&](const std::string& line) { return search.may_match(line); },
      [&](const json& event) {
        const std::string id = search.id_of(event);
        if (id.empty() || !meant.insert(id).second) return;
        order.push_back(id);
        if (order.size() <= options.limit) return;
        meant.erase(order.front());
        order.pop_front();
        more = true;
      });
  if (meant.empty()) {
    std::fprintf(stderr, "penstock: no event of %s in %zu %s\n", options.what.c_str(), files->size(),
                 files->size() == 1 ? "file" : "files");
    return kFailed;
  }
  std::map<std::string, std::vector<json>> events;
  good = scan(
             *files, [&](const std::string& line) { return meant.contains(id_in(line)); },
             [&](json event) { events[text_of(event, "id")].push_back(std::move(event)); }) &&
         good;
  for (const std::string& id : order) {
    if (!options.as_json) {
      std::printf("%s%s", id == order.front() ? "" : "\n", story_text(id, events[id]).c_str());
      continue;
    }
    for (const json& event : events[id])
      std::printf("%s\n", event.dump(-1, ' ', true, json::error_handler_t::replace).c_str());
  }
  if (more && !options.as_json) std::printf("\nThere are older ones; --limit shows more of them.\n");
  return good ? kDone : kFailed;
}

}  // namespace

void add_log_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<LogOptions>();
  CLI::App* command =
      parser->add_subcommand("log", "the story of messages, from the delivery log and its older files");
  command
      ->add_option("what", options->what,
                   "a message id, a Message-ID, an address of a sender or recipient, or a domain")
      ->required();
  command->add_option("--file", options->file, "another log than that of the configuration");
  command->add_option("--limit", options->limit, "how many messages at most, the latest")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_flag("--json", options->as_json, "the events as they stand in the log");
  command->callback([=] { invocation->run = [=] { return show(*invocation, *options); }; });
}

}  // namespace relay::cli
