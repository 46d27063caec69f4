#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <deque>
#include <list>
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

std::optional<std::vector<LogPart>> files_of(const Invocation& invocation, const LogOptions& options,
                                             int* exit_code) {
  std::string path = options.file;
  if (path.empty()) {
    const conf::ConfigPtr config = places_of(invocation);
    *exit_code = kUsage;
    if (config == nullptr) return std::nullopt;
    path = config->log.path;
  }
  conf::Result<std::vector<LogPart>> files = log_files(path);
  *exit_code = kFailed;
  if (files.ok()) return std::move(files).value();
  std::fprintf(stderr, "penstock: %s\n", files.error().detail.c_str());
  return std::nullopt;
}

// Shows `use` every event of the files that a cheap look at its line takes.
bool scan(const std::vector<LogPart>& files, const std::function<bool(const std::string&)>& may,
          const std::function<void(json)>& use) {
  bool good = true;
  for (const LogPart& file : files) {
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

// Keeps the latest of `all`; true when one had to go.
bool keep(json one, size_t most, std::deque<json>* all) {
  all->push_back(std::move(one));
  if (all->size() <= most) return false;
  all->pop_front();
  return true;
}

// The messages that were heard of last, so many of them, whatever the log holds.
class LatestIds {
 public:
  explicit LatestIds(size_t most) : most_(most) {}

  // True when one had to go.
  bool add(const std::string& id) {
    if (const auto known = places_.find(id); known != places_.end()) {
      ids_.splice(ids_.end(), ids_, known->second);
      return false;
    }
    places_[id] = ids_.insert(ids_.end(), id);
    if (ids_.size() <= most_) return false;
    places_.erase(ids_.front());
    ids_.pop_front();
    return true;
  }
  const std::list<std::string>& ids() const { return ids_; }  // the latest at the end

 private:
  size_t most_;
  std::list<std::string> ids_;
  std::map<std::string, std::list<std::string>::iterator> places_;
};

// What is meant, the oldest first.
struct Found {
  std::list<std::string> ids;
  std::deque<json> without_message;
  bool more = false;
};

bool search_in(const std::vector<LogPart>& files, const LogOptions& options, Found* found) {
  const LogSearch search(options.what);
  LatestIds latest(options.limit);
  const bool good = scan(
      files, [&](const std::string& line) { return search.may_match(line); },
      [&](json event) {
        const std::string id = search.id_of(event);
        if (!id.empty()) found->more |= latest.add(id);
        if (search.is_meant_without_message(event))
          found->more |= keep(std::move(event), options.limit, &found->without_message);
      });
  found->ids = latest.ids();
  return good;
}

void print_json(const json& event) {
  std::printf("%s\n", event.dump(-1, ' ', true, json::error_handler_t::replace).c_str());
}

void print(const Found& found, std::map<std::string, std::vector<json>>* events, bool as_json) {
  if (as_json) {
    for (const std::string& id : found.ids) std::ranges::for_each((*events)[id], print_json);
    std::ranges::for_each(found.without_message, print_json);
    return;
  }
  for (const std::string& id : found.ids)
    std::printf("%s%s", id == found.ids.front() ? "" : "\n", story_text(id, (*events)[id]).c_str());
  if (!found.without_message.empty())
    std::printf("%sof no message\n%s", found.ids.empty() ? "" : "\n",
                events_text({found.without_message.begin(), found.without_message.end()}).c_str());
  if (found.more) std::printf("\nThere are older ones; --limit shows more of them.\n");
}

int show(const Invocation& invocation, const LogOptions& options) {
  int exit_code = kDone;
  const std::optional<std::vector<LogPart>> files = files_of(invocation, options, &exit_code);
  if (!files) return exit_code;
  Found found;
  bool good = search_in(*files, options, &found);
  if (found.ids.empty() && found.without_message.empty()) {
    std::fprintf(stderr, "penstock: no event of %s in %zu %s\n", options.what.c_str(), files->size(),
                 files->size() == 1 ? "file" : "files");
    return kFailed;
  }
  const std::set<std::string, std::less<>> meant(found.ids.begin(), found.ids.end());
  std::map<std::string, std::vector<json>> events;
  good = scan(
             *files, [&](const std::string& line) { return meant.contains(id_in(line)); },
             [&](json event) { events[text_of(event, "id")].push_back(std::move(event)); }) &&
         good;
  print(found, &events, options.as_json);
  return good ? kDone : kFailed;
}

}  // namespace

void add_log_command(CLI::App* parser, Invocation* invocation) {
  const auto options = std::make_shared<LogOptions>();
  CLI::App* command =
      parser->add_subcommand("log", "the story of messages, from the delivery log and its older files");
  command
      ->add_option(
          "what", options->what,
          "a message id, a Message-ID, an address of a sender or recipient, a domain, an MX host, or "
          "the address of a host or client")
      ->required();
  command->add_option("--file", options->file, "another log than that of the configuration");
  command->add_option("--limit", options->limit, "how many messages, and how many events of none, the latest")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_flag("--json", options->as_json, "the events as they stand in the log");
  command->callback([=] { invocation->run = [=] { return show(*invocation, *options); }; });
}

}  // namespace relay::cli
