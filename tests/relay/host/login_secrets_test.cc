#include "relay/host/login_secrets.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/temporary_folder.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class ManualClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return time; }
  conf::WallTime wall() const override { return conf::WallTime(time.time_since_epoch()); }
  conf::Instant time{1h};
};

class LoginSecretsTest : public testing::Test {
 protected:
  LoginSecretsTest()
      : secrets_(&clock_,
                 [this](const std::vector<std::string>& command, conf::Duration, Secrets::Done done) {
                   ran_.push_back(command.back());
                   running_.push_back(std::move(done));
                 }) {}

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string file = folder_ / name;
    std::ofstream(file, std::ios::binary) << text;
    ::chmod(file.c_str(), mode);
    return file;
  }
  conf::Login& add(const std::string& name) {
    config_.logins.emplace_back();
    config_.logins.back().name = name;
    config_.logins.back().user = "u";
    return config_.logins.back();
  }
  std::string trouble() {
    const auto table = LoginSecrets::read(config_);
    return table.ok() ? "" : table.error().detail;
  }
  void use() {
    auto table = LoginSecrets::read(config_);
    ASSERT_TRUE(table.ok()) << table.error().detail;
    secrets_.use(std::move(*table));
  }
  // What is known at once; "?" when nothing is.
  std::string get(const std::string& name) {
    auto answer = std::make_shared<std::string>("?");
    secrets_.get(name, [answer](conf::Result<std::string> got) {
      *answer = got.ok() ? *got : "! " + got.error().detail;
    });
    answers_.push_back(answer);
    return *answer;
  }

  TemporaryFolder folder_;
  ManualClock clock_;
  conf::Config config_;
  std::vector<std::string> ran_;
  std::vector<Secrets::Done> running_;
  LoginSecrets secrets_;
  std::vector<std::shared_ptr<std::string>> answers_;
};

TEST_F(LoginSecretsTest, TheFirstLineOfAFile) {
  add("a").file = write("a", "pass word \r\nmore\n");
  add("b").file = write("b", "secret");
  use();
  EXPECT_EQ(get("a"), "pass word ");
  EXPECT_EQ(get("b"), "secret");
  EXPECT_EQ(get("c"), "! there is no [[login]] c any more");
}

TEST_F(LoginSecretsTest, WhatIsWrongIsNamedAndTheSecretIsNot) {
  add("a").file = folder_ / "nowhere";
  EXPECT_EQ(trouble(),
            "[[login]] a: cannot read " + (folder_ / "nowhere").string() + ": No such file or directory");
  config_.logins[0].file = write("open", "hunter2", 0644);
  EXPECT_EQ(trouble(), "[[login]] a: " + config_.logins[0].file +
                           " is open to others; a secret wants: chmod 640 " + config_.logins[0].file);
  config_.logins[0].file = write("empty", "\nhunter2");
  EXPECT_NE(trouble().find("empty line"), std::string::npos);
  config_.logins[0].file = write("nul", std::string("hun\0ter2", 8));
  EXPECT_NE(trouble().find("has a NUL"), std::string::npos);
  EXPECT_EQ(trouble().find("hun"), std::string::npos);
  config_.logins[0].file = folder_;
  EXPECT_NE(trouble().find("is not a file"), std::string::npos);
}

TEST_F(LoginSecretsTest, HalfATokenIsNone) {
  conf::Login& login = add("smart");
  login.file = write("token", std::string(8191, 'x') + "\n");
  EXPECT_EQ(trouble(), "");
  login.file = write("token", std::string(9000, 'x') + "\n");
  EXPECT_EQ(trouble(),
            "[[login]] smart: the first line of " + login.file + " is longer than a secret can be");
}

TEST_F(LoginSecretsTest, ACredentialOfTheServiceManager) {
  add("a").credential = "smart";
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_NE(trouble().find("LoadCredential=smart:PATH"), std::string::npos);
  write("smart", "by systemd\n", 0400);
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  use();
  EXPECT_EQ(get("a"), "by systemd");
  ::unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(LoginSecretsTest, ATokenFileIsReadWhenItIsNeeded) {
  conf::Login& login = add("a");
  login.file = write("token", "first");
  login.mechanism = conf::LoginMechanism::kXoauth2;
  use();
  write("token", "second");
  EXPECT_EQ(get("a"), "second");
  std::filesystem::remove(login.file);
  EXPECT_EQ(get("a"), "first") << "rather an old one than none";
}

TEST_F(LoginSecretsTest, ACommandRunsOnceForAllWhoWaitAndIsKeptForAWhile) {
  conf::Login& login = add("a");
  login.command = {"/bin/token", "x"};
  login.keep = 5min;
  use();
  EXPECT_EQ(get("a"), "?");
  EXPECT_EQ(get("a"), "?");
  ASSERT_EQ(ran_, std::vector<std::string>{"x"});
  running_[0](std::string("token-1\n"));
  EXPECT_EQ(*answers_[0], "token-1");
  EXPECT_EQ(*answers_[1], "token-1");
  EXPECT_EQ(get("a"), "token-1");
  clock_.time += 6min;
  EXPECT_EQ(get("a"), "?");
  running_[1](conf::Error{conf::ErrorCode::kUnavailable, "ended with status 1"});
  EXPECT_EQ(*answers_.back(), "! [[login]] a: /bin/token: ended with status 1");
  EXPECT_EQ(get("a"), "?") << "a failure is not kept";
  running_[2](std::string("token-2"));
  EXPECT_EQ(get("a"), "token-2");
  secrets_.refused("a");
  EXPECT_EQ(get("a"), "?") << "a server refused it";
}

TEST_F(LoginSecretsTest, WhoWaitsForACommandHearsItThoughAServerRefusedTheLastSecret) {
  add("a").command = {"/bin/token"};
  use();
  EXPECT_EQ(get("a"), "?");
  secrets_.refused("a");
  EXPECT_EQ(get("a"), "?");
  EXPECT_EQ(ran_.size(), 1U) << "one command at a time";
  running_[0](std::string("token"));
  EXPECT_EQ(*answers_[0], "token");
  EXPECT_EQ(*answers_[1], "token");
}

TEST_F(LoginSecretsTest, AnAnswerFromBeforeAReloadIsDropped) {
  add("a").command = {"/bin/token"};
  use();
  EXPECT_EQ(get("a"), "?");
  use();
  EXPECT_EQ(*answers_[0], "! the configuration has changed");
  running_[0](std::string("old"));
  EXPECT_EQ(get("a"), "?");
}

}  // namespace
}  // namespace relay
