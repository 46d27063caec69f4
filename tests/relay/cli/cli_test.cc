#include "relay/cli/cli.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "relay/admin/admin_server.h"
#include "relay/authenticator.h"
#include "relay/daemon.h"
#include "tests/relay/admin/fake_relay.h"
#include "tests/relay/admin/records.h"

namespace relay {

// The daemon and crypt(3) stay out of this binary; these note what they were given.
std::string served_config;
int run_daemon(const std::string& config_path) {
  served_config = config_path;
  return 0;
}
std::string hash_secret(const std::string& secret) { return secret == "unhashable" ? "" : "$y$" + secret; }

namespace cli {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int exit_code;
  std::string out, err;
};

class CliTest : public testing::Test {
 protected:
  CliTest() : backend_(&spool_) {
    std::string pattern = (fs::temp_directory_path() / "penstock-cli-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    settings_.socket = (folder_ / "admin.sock").string();
    type_in("");
    spool_.records[1] =
        admin::message(1, "news@shop.example", {admin::recipient("a@example.net", "4.7.1", "grey")});
    spool_.records[2] =
        admin::message(2, "", {admin::recipient("b@example.net"), admin::recipient("c@example.com")});
  }
  ~CliTest() override {
    server_.reset();
    loop_.stop();
    fs::remove_all(folder_);
  }
  void start() {
    auto opened = admin::AdminServer::open(
        settings_, &spool_, &backend_, [this](std::function<void()> work) { loop_.post(std::move(work)); });
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    server_ = std::move(opened).value();
  }
  // What the next command reads from its standard input, which is no terminal.
  void type_in(const std::string& text) {
    std::ofstream(folder_ / "input") << text;
    ASSERT_NE(std::freopen((folder_ / "input").c_str(), "r", stdin), nullptr);
    std::cin.clear();
  }
  static Outcome command(std::vector<std::string> words) {
    words.insert(words.begin(), "penstock");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Outcome outcome{run(static_cast<int>(words.size()), argv.data()), "", ""};
    outcome.out = testing::internal::GetCapturedStdout();
    outcome.err = testing::internal::GetCapturedStderr();
    return outcome;
  }
  Outcome queue(std::vector<std::string> words) {
    words.insert(words.begin(), {"queue", "--socket", settings_.socket});
    return command(std::move(words));
  }

  fs::path folder_;
  conf::AdminSettings settings_;
  admin::FakeSpool spool_;
  admin::FakeBackend backend_;
  admin::FakeLoop loop_;
  std::unique_ptr<admin::AdminServer> server_;
};

TEST_F(CliTest, ExitCodesOfUsage) {
  struct Case {
    std::vector<std::string> words;
    int exit_code;
  };
  const Case cases[] = {
      {{}, kUsage},
      {{"--help"}, kDone},
      {{"queue", "--help"}, kDone},
      {{"queue"}, kUsage},
      {{"nonsense"}, kUsage},
      {{"version"}, kDone},
      {{"version", "extra"}, kUsage},
      {{"check", "-c", "/nonexistent/penstock.toml"}, kUsage},
      {{"queue", "summary", "-c", "/nonexistent/penstock.toml"}, kUsage},
      {{"queue", "--socket", "/nonexistent/admin.sock", "summary"}, kFailed},
      {{"queue", "list", "--limit", "0"}, kUsage},
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

TEST_F(CliTest, ListAndShow) {
  start();
  const Outcome all = queue({"list"});
  EXPECT_EQ(all.exit_code, kDone) << all.err;
  EXPECT_NE(all.out.find("news@shop.example -> a@example.net"), std::string::npos) << all.out;
  EXPECT_NE(all.out.find("<> -> b@example.net"), std::string::npos) << all.out;
  const Outcome some = queue({"list", "--sender", "<>", "--domain", "*.com", "--json"});
  EXPECT_EQ(nlohmann::json::parse(some.out).at("messages").size(), 1u);
  const Outcome one = queue({"show", conf::to_text(2)});
  EXPECT_NE(one.out.find("<c@example.com> pending"), std::string::npos) << one.out;
  EXPECT_EQ(queue({"show", conf::to_text(99)}).exit_code, kFailed);
  EXPECT_EQ(queue({"show", "not/an&id"}).exit_code, kUsage);
  EXPECT_EQ(queue({"list", "--older-than", "soon"}).exit_code, kUsage);
}

TEST_F(CliTest, ActionsSayHowMany) {
  start();
  const Outcome held = queue({"hold", conf::to_text(1), conf::to_text(99)});
  EXPECT_EQ(held.exit_code, kDone) << held.err;
  EXPECT_EQ(held.out, "hold: 1 of 2 messages.\n");
  ASSERT_EQ(backend_.applied.size(), 1u);
  EXPECT_EQ(backend_.applied[0].first, admin::QueueAction::kHold);
  EXPECT_EQ(queue({"retry", "--all", "--dry-run"}).out, "2 messages match.\n");
  EXPECT_EQ(backend_.applied.size(), 1u);
}

TEST_F(CliTest, DropWantsYes) {
  start();
  const Outcome asked = queue({"drop", "--domain", "example.net"});
  EXPECT_EQ(asked.exit_code, kFailed);
  EXPECT_NE(asked.err.find("1 messages match; nothing is dropped without --yes"), std::string::npos)
      << asked.err;
  EXPECT_TRUE(backend_.applied.empty());
  const Outcome done = queue({"drop", "--domain", "example.net", "--yes"});
  EXPECT_EQ(done.exit_code, kDone) << done.err;
  EXPECT_EQ(done.out, "drop: 1 of 1 messages.\n");
  EXPECT_NE(done.err.find("1 more have other pending recipients"), std::string::npos) << done.err;
  ASSERT_EQ(backend_.applied.size(), 1u);
  EXPECT_EQ(backend_.applied[0].second, std::vector<conf::MessageId>{1});
  const Outcome none = queue({"drop", "--domain", "nowhere.example"});
  EXPECT_EQ(none.exit_code, kDone);
  EXPECT_EQ(none.out, "0 messages match.\n");
}

TEST_F(CliTest, DropOfAllTakesOnlyWhatWasCounted) {
  start();
  EXPECT_EQ(queue({"drop", "--all", "--yes"}).exit_code, kDone);
  ASSERT_EQ(backend_.applied.size(), 1u);
  EXPECT_EQ(backend_.applied[0].second, (std::vector<conf::MessageId>{1, 2}));
}

}  // namespace
}  // namespace cli
}  // namespace relay
