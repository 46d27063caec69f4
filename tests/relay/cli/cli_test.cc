// What the command line is: its commands, their codes and words, and the manual.
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/relay/cli/cli_rig.h"

namespace relay::cli {
namespace {

TEST_F(CliTest, ExitCodesOfUsage) {
  struct Case {
    std::vector<std::string> words;
    int exit_code;
  };
  const Case cases[] = {
      {{}, kUsage},
      {{"--help"}, kDone},
      {{"queue", "--help"}, kDone},
      {{"queue", "-c", "/nonexistent/penstock.toml"}, kUsage},
      {{"--version"}, kDone},
      {{"-v"}, kDone},
      {{"nonsense"}, kUsage},
      {{"version"}, kDone},
      {{"version", "extra"}, kUsage},
      {{"check", "-c", "/nonexistent/penstock.toml"}, kUsage},
      {{"queue", "summary", "-c", "/nonexistent/penstock.toml"}, kUsage},
      {{"queue", "--socket", "/nonexistent/admin.sock", "summary"}, kFailed},
      {{"queue", "list", "--limit", "0"}, kUsage},
      {{"spool"}, kUsage},
      {{"spool", "check", "--path", "/nonexistent/spool"}, kFailed},
      {{"spool", "repair", "--path", "/nonexistent/spool"}, kFailed},
      {{"queue", "show"}, kUsage},
      {{"queue", "drop"}, kUsage},
      {{"queue", "drop", "--all", "--domain", "example.net"}, kUsage},
  };
  for (const Case& c : cases) {
    const Outcome outcome = command(c.words);
    std::string line;
    for (const std::string& word : c.words) line += " " + word;
    EXPECT_EQ(outcome.exit_code, c.exit_code) << line << "\n" << outcome.err;
    EXPECT_FALSE((c.exit_code == kDone ? outcome.out : outcome.err).empty()) << line;
  }
}

TEST_F(CliTest, AnUnknownCommandNamesTheRightOne) {
  struct Case {
    std::vector<std::string> words;
    const char* message;
  };
  const Case cases[] = {
      {{"mailq"}, "penstock: there is no command \"mailq\"; you may want: penstock queue list\n"},
      {{"queue", "ls"}, "penstock queue: there is no command \"ls\"; you may want: penstock queue list\n"},
      {{"-c", "x.toml", "quue"},
       "penstock: there is no command \"quue\"; did you mean \"penstock queue\"?\n"},
      {{"queue", "--json", "lst"},
       "penstock queue: there is no command \"lst\"; did you mean \"penstock queue list\"?\n"},
      {{"mx", "list"}, "penstock mx: there is no command \"list\"; you may want: penstock mx status\n"},
      {{"queue", "remove"},
       "penstock queue: there is no command \"remove\"; you may want: penstock queue drop\n"},
      {{"quarantine", "ls"},
       "penstock quarantine: there is no command \"ls\"; you may want: penstock quarantine list\n"},
      {{"unblock"}, "penstock: there is no command \"unblock\"; you may want: penstock mx unblock\n"},
      {{"bounce"}, "penstock: there is no command \"bounce\"; you may want: penstock queue fail\n"},
      {{"queue", "list", "--older", "5m"},
       "penstock queue list: there is no option \"--older\"; did you mean \"--older-than\"?\n"},
      {{"queue", "list", "--limt=5"},
       "penstock queue list: there is no option \"--limt\"; did you mean \"--limit\"?\n"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = command(c.words);
    EXPECT_EQ(outcome.exit_code, kUsage) << c.message;
    EXPECT_EQ(outcome.err, c.message);
  }
}

TEST_F(CliTest, ServeHandsTheConfigurationToTheDaemon) {
  EXPECT_EQ(command({"serve"}).exit_code, 0);
  EXPECT_EQ(served_config, "/etc/penstock/penstock.toml");
  EXPECT_EQ(command({"serve", "--config", "/srv/other.toml"}).exit_code, 0);
  EXPECT_EQ(served_config, "/srv/other.toml");
}

TEST_F(CliTest, HashPasswordReadsOneLine) {
  type_in("open sesame\nmore\n");
  const Outcome good = command({"hash-password"});
  EXPECT_EQ(good.exit_code, kDone);
  EXPECT_EQ(good.out, "$y$open sesame\n");
  type_in("\n");
  EXPECT_EQ(command({"hash-password"}).exit_code, kUsage);
  type_in(std::string("a\0b\n", 4));
  EXPECT_EQ(command({"hash-password"}).exit_code, kUsage);
  type_in("unhashable\n");
  EXPECT_EQ(command({"hash-password"}).exit_code, kFailed);
}

TEST_F(CliTest, ReloadSaysWhatChangedAndWhatWaits) {
  start();
  const auto reload = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"reload", "--socket", settings_.socket});
    return command(std::move(words));
  };
  backend_.reload_done.file = "/etc/penstock/penstock.toml";
  EXPECT_EQ(reload({}).out,
            "/etc/penstock/penstock.toml was read again: nothing in it has changed, nor in a file "
            "that it names.\n");
  backend_.reload_done.changes = {"hostname: \"a\" -> \"b\" (line 1)"};
  backend_.reload_done.waiting = "hostname";
  backend_.reload_done.problems = {"penstock.toml:3:1: warning: an odd thing"};
  const Outcome changed = reload({});
  EXPECT_EQ(changed.exit_code, kDone);
  EXPECT_EQ(changed.out,
            "/etc/penstock/penstock.toml was read again:\n  hostname: \"a\" -> \"b\" (line 1)\n"
            "Waits for a restart: hostname\n");
  EXPECT_TRUE(changed.err.ends_with("penstock.toml:3:1: warning: an odd thing\n")) << changed.err;
  EXPECT_EQ(nlohmann::json::parse(reload({"--json"}).out).at("waits_for_restart"), "hostname");
  backend_.reload_done.refused = "the file has errors";
  const Outcome refused = reload({});
  EXPECT_EQ(refused.exit_code, kFailed);
  EXPECT_EQ(refused.out, "");
  EXPECT_TRUE(
      refused.err.ends_with("penstock: reload refused, the old configuration goes on: the file has errors\n"
                            "penstock.toml:3:1: warning: an odd thing\n"))
      << refused.err;
}

// The file that a reload is to judge is mostly the one that has the error.
TEST_F(CliTest, AFileWithErrorsStillNamesTheSocket) {
  start();
  const std::string file = (folder_ / "relay.toml").string();
  std::ofstream(file) << "hostname = \"r.example.com\"\nmax_conections = 3\n[[listener]]\naddress = "
                         "\"127.0.0.1:25\"\n[admin]\nsocket = \""
                      << settings_.socket << "\"\n";
  const Outcome told = command({"queue", "summary", "-c", file});
  EXPECT_EQ(told.exit_code, kDone);
  EXPECT_NE(told.err.find("penstock: warning: the configuration has errors: " + file + ":2:1: "),
            std::string::npos)
      << told.err;
  backend_.reload_done.refused = "the file has errors";
  backend_.reload_done.problems = {file + ":2:1: there is no key \"max_conections\""};
  const Outcome refused = command({"reload", "-c", file});
  EXPECT_EQ(refused.exit_code, kFailed);
  EXPECT_TRUE(refused.err.ends_with("the old configuration goes on: the file has errors\n" + file +
                                    ":2:1: there is no key \"max_conections\"\n"))
      << refused.err;
  EXPECT_EQ(command({"reload", "-c", (folder_ / "none.toml").string()}).exit_code, kUsage);
}

std::vector<std::string> commands_in(const std::string& help) {
  std::vector<std::string> names;
  std::istringstream lines(help.substr(std::min(help.find("Subcommands:\n"), help.size())));
  for (std::string line; std::getline(lines, line) && line != "";)
    if (line.starts_with("  ") && line[2] != ' ') names.push_back(line.substr(2, line.find(' ', 2) - 2));
  return names;
}

std::string manual() {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/packaging/man/penstock.8");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(CliTest, TheManualHasEveryCommand) {
  std::istringstream page(manual());
  std::map<std::string, std::string> parts;  // of the description, by command
  std::string said;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(".It Cm ") || line.starts_with(".Sh ")) said = line;
    if (line.find("Cm ") != std::string::npos) parts[said] += line + '\n';
  }
  const auto has = [&](const std::string& name, const std::string& under) {
    const std::regex word("Cm ([a-z ,-]+ )?" + name + "\\b");
    return std::any_of(parts.begin(), parts.end(), [&](const auto& part) {
      return part.first.find(under) != std::string::npos && std::regex_search(part.second, word);
    });
  };
  const std::vector<std::string> commands = commands_in(command({"--help"}).out);
  ASSERT_GE(commands.size(), 15u);
  for (const std::string& name : commands) {
    EXPECT_TRUE(has(name, ".It Cm " + name)) << name;
    for (const std::string& inner : commands_in(command({name, "--help"}).out))
      EXPECT_TRUE(has(inner, "")) << name << ' ' << inner;
  }
}

// Each long option that a help text lists: "  -c,--config TEXT", "  --json".
void expect_options_in_manual(const std::string& page, const std::string& help) {
  static const std::regex kOption("\n  (?:-[a-z],)?-(-[a-z-]+)");
  for (std::sregex_iterator it(help.begin(), help.end(), kOption), end; it != end; ++it) {
    const std::string name = (*it)[1];
    if (name == "-help") continue;
    EXPECT_TRUE(std::regex_search(page, std::regex(" " + name + "(?![a-z-])"))) << '-' << name << " of\n"
                                                                                << help;
  }
}

TEST_F(CliTest, TheManualHasEveryOption) {
  const std::string page = manual(), help = command({"--help"}).out;
  expect_options_in_manual(page, help);
  for (const std::string& name : commands_in(help)) {
    const std::string of_name = command({name, "--help"}).out;
    expect_options_in_manual(page, of_name);
    for (const std::string& inner : commands_in(of_name))
      expect_options_in_manual(page, command({name, inner, "--help"}).out);
  }
}

}  // namespace
}  // namespace relay::cli
