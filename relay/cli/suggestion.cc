#include "relay/cli/suggestion.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "conf/vocab/spelling.h"

namespace relay::cli {
namespace {

struct Known {
  std::string_view word;
  std::string_view command;
  std::string_view within = {};  // of this command only; "": of any
};

// Commands of other mail servers, and words that people try first.
constexpr std::array kElsewhere = {
    Known{"list", "penstock mx status", "mx"},
    Known{"ls", "penstock mx status", "mx"},
    Known{"ls", "penstock quarantine list", "quarantine"},
    Known{"ls", "penstock qualify list", "qualify"},
    Known{"mailq", "penstock queue list"},
    Known{"postqueue", "penstock queue list"},
    Known{"ls", "penstock queue list"},
    Known{"qshape", "penstock queue summary"},
    Known{"queue-summary", "penstock queue summary"},
    Known{"stats", "penstock queue summary"},
    Known{"status", "penstock mx status (or penstock queue summary)"},
    Known{"postcat", "penstock queue view ID"},
    Known{"cat", "penstock queue view ID"},
    Known{"bounce", "penstock queue fail"},
    Known{"flush", "penstock queue retry --all"},
    Known{"requeue", "penstock queue retry"},
    Known{"delete", "penstock queue drop"},
    Known{"rm", "penstock queue drop"},
    Known{"remove", "penstock queue drop"},
    Known{"postsuper", "penstock queue drop (or hold, release)"},
    Known{"suspend", "penstock mx block (or penstock queue hold)"},
    Known{"pause", "penstock mx block (or penstock queue hold)"},
    Known{"resume", "penstock mx unblock (or penstock queue release)"},
    Known{"start", "penstock serve"},
    Known{"run", "penstock serve"},
    Known{"configtest", "penstock check"},
    Known{"test", "penstock check"},
    Known{"postconf", "penstock config show"},
    Known{"why", "penstock explain"},
};

std::string message_for(const CLI::App& place, const std::string& word) {
  std::string path;
  for (const CLI::App* app = &place; app != nullptr; app = app->get_parent()) {
    if (!path.empty()) path.insert(0, " ");
    path.insert(0, app->get_name());
  }
  std::string message = path + ": there is no command \"" + word + "\"";
  std::vector<std::string> names;
  std::string all;
  for (const CLI::App* command : place.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
    all += (all.empty() ? "" : ", ") + command->get_name();
  }
  for (const Known& known : kElsewhere) {
    const bool here = known.within.empty() || known.within == place.get_name();
    if (here && known.word == word) return message + "; you may want: " + std::string(known.command);
  }
  for (const CLI::App* command : place.get_subcommands([](const CLI::App*) { return true; })) {
    for (const CLI::App* within : command->get_subcommands([](const CLI::App*) { return true; })) {
      if (within->get_name() == word)
        return fmt::format("{}; you may want: {} {} {}", message, path, command->get_name(), word);
    }
  }
  // A slip of the pen spares the first letter; what only looks alike may do harm.
  const std::string near = conf::nearest(word, names);
  if (!near.empty() && near.starts_with(word.substr(0, 1)))
    return message + "; did you mean \"" + path + " " + near + "\"?";
  return message + "; there are: " + all;
}

// Of the command, or of one above it. Null: there is none of this name.
const CLI::Option* option_of(const CLI::App& place, const std::string& name) {
  const CLI::Option* option = nullptr;
  for (const CLI::App* app = &place; app != nullptr && option == nullptr; app = app->get_parent())
    option = app->get_option_no_throw(name);
  return option;
}

std::string unknown_option(const CLI::App& place, const std::string& name) {
  std::string path;
  std::vector<std::string> names;
  std::string all;
  for (const CLI::App* app = &place; app != nullptr; app = app->get_parent()) {
    path.insert(0, path.empty() ? app->get_name() : app->get_name() + " ");
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_lnames().empty()) continue;
      names.push_back("--" + option->get_lnames().front());
      all += (all.empty() ? "" : ", ") + names.back();
    }
  }
  std::string near = conf::nearest(name, names);
  for (size_t i = 0; i < names.size() && near.empty(); ++i) {
    if (names[i].rfind(name, 0) == 0) near = names[i];  // "--older" of "--older-than"
  }
  return path + ": there is no option \"" + name + "\"; " +
         (near.empty() ? "there are: " + all : "did you mean \"" + near + "\"?");
}

}  // namespace

std::string unknown_command(const CLI::App& parser, int argc, const char* const* argv) {
  const CLI::App* place = &parser;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool has_commands = !place->get_subcommands([](const CLI::App*) { return true; }).empty();
    if (word == "--") return "";
    if (!word.empty() && word[0] == '-') {
      const size_t value = word.find('=');
      const CLI::Option* option = option_of(*place, word.substr(0, value));
      if (option == nullptr && word.rfind("--", 0) == 0) return unknown_option(*place, word.substr(0, value));
      if (value != std::string::npos) continue;
      if (option != nullptr && option->get_items_expected_max() > 0) ++i;  // its value
      continue;
    }
    if (!has_commands) continue;
    const auto found =
        place->get_subcommands([&word](const CLI::App* command) { return command->check_name(word); });
    if (found.empty()) return message_for(*place, word);
    place = found.front();
  }
  return "";
}

}  // namespace relay::cli
