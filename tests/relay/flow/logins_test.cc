#include "relay/flow/logins.h"

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class LoginsTest : public PathTest {
 protected:
  LoginsTest() {
    conf::Login login;
    login.name = "provider";
    config_->logins.push_back(login);
    settings_->peer.login = "provider";
    settings_->smart_hosts.resize(1);
    settings_->smart_hosts[0].host = "smart.test";
    settings_->smart_hosts[0].port = 587;
  }
  OutboundConnection::Plan plan_to(std::vector<Target> targets) {
    OutboundConnection::Plan plan;
    plan.targets = std::move(targets);
    logins_.plan(path_, &plan);
    return plan;
  }
  static Target target(const std::string& host, uint16_t port) { return {host, "192.0.2.1", port, 0, {}}; }

  queue::SiteTable sites_{config_, nullptr, &clock_};
  FakeSecrets secrets_;
  WorkList work_;
  std::vector<std::string> told_;
  ServerTroubles troubles_{
      [this](const queue::Path&, const ServerTrouble& trouble) { told_.push_back(trouble.text); }};
  Logins logins_{&flow_, &sites_, &secrets_, &work_, &troubles_};
};

TEST_F(LoginsTest, OnlyTheSmartHostsThatALoginWasWrittenForAreToldIt) {
  const OutboundConnection::Plan plan =
      plan_to({target("smart.test", 587), target("smart.test", 25), target("other.test", 587)});
  EXPECT_EQ(plan.login.name, "provider");
  EXPECT_TRUE(plan.targets[0].log_in);
  EXPECT_FALSE(plan.targets[1].log_in);
  EXPECT_FALSE(plan.targets[2].log_in);
  EXPECT_EQ(plan_to({target("other.test", 587)}).login.name, "");
}

TEST_F(LoginsTest, WhileOneConnectionTriesALoginNoOtherIsOpened) {
  EXPECT_LE(logins_.until(path_), clock_.now());
  const OutboundConnection::Plan plan = plan_to({target("smart.test", 587)});
  EXPECT_GT(logins_.until(path_), clock_.now());
  logins_.undecided(*connection_to(plan.targets[0], plan.login));
  EXPECT_LE(logins_.until(path_), clock_.now()) << "it ended before the answer";
}

TEST_F(LoginsTest, ARefusedLoginIsToldOnceAndWaits) {
  const OutboundConnection::Plan plan = plan_to({target("smart.test", 587)});
  const auto connection = connection_to(plan.targets[0], plan.login);
  logins_.answered(*connection, plan.targets[0], false);
  logins_.answered(*connection, plan.targets[0], false);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_NE(told_[0].find("login provider failed"), std::string::npos) << told_[0];
  EXPECT_GT(logins_.until(path_), clock_.now());
  logins_.answered(*connection, plan.targets[0], true);
  EXPECT_EQ(told_.back(), "login provider works again");
  EXPECT_LE(logins_.until(path_), clock_.now());
}

TEST_F(LoginsTest, WhatIsForgottenMayBeTriedAtOnce) {
  EXPECT_FALSE(logins_.forget()) << "nobody ever logged in";
  plan_to({target("smart.test", 587)});
  EXPECT_TRUE(logins_.forget());
  EXPECT_LE(logins_.until(path_), clock_.now());
}

TEST_F(LoginsTest, APathWithoutALoginNeverWaitsForOne) {
  settings_->peer.login = "";
  EXPECT_EQ(plan_to({target("smart.test", 587)}).login.name, "");
  EXPECT_LE(logins_.until(path_), clock_.now());
}

}  // namespace
}  // namespace relay
