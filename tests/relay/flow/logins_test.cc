#include "relay/flow/logins.h"

#include <deque>
#include <memory>
#include <set>
#include <string>

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
  EXPECT_NE(told_[0].find("login \"provider\" failed"), std::string::npos) << told_[0];
  EXPECT_GT(logins_.until(path_), clock_.now());
  logins_.answered(*connection, plan.targets[0], true);
  EXPECT_EQ(told_.back(), "login \"provider\" works again");
  EXPECT_LE(logins_.until(path_), clock_.now());
}

TEST_F(LoginsTest, WhatIsForgottenMayBeTriedAtOnce) {
  logins_.forget();
  EXPECT_FALSE(logins_.waking()) << "nobody ever logged in";
  plan_to({target("smart.test", 587)});
  logins_.forget();
  EXPECT_LE(logins_.until(path_), clock_.now());
  EXPECT_TRUE(logins_.waking());
}

TEST_F(LoginsTest, WhatAnOldSecretIsAnsweredSaysNothingOfANewOne) {
  const OutboundConnection::Plan plan = plan_to({target("smart.test", 587)});
  const auto before = connection_to(plan.targets[0], plan.login);
  clock_.time += 1s;
  logins_.forget();
  plan_to({target("smart.test", 587)});
  logins_.answered(*before, plan.targets[0], true);
  EXPECT_GT(logins_.until(path_), clock_.now()) << "one connection tries the new one, the others wait";
  logins_.answered(*before, plan.targets[0], false);
  EXPECT_TRUE(told_.empty());
}

TEST_F(LoginsTest, WhatWaitedForALoginIsWokenSomePathsInEachStep) {
  std::deque<queue::DomainEntry> domains(5000);
  for (size_t i = 0; i < domains.size(); ++i) {
    auto route = std::make_shared<mx::Route>();
    route->kind = mx::Route::Kind::kHosts;
    route->site = "mx" + std::to_string(i) + ".test";
    domains[i].route = route;
    domains[i].settings = settings_;
    sites_.path_from(&domains[i], config_->sources[0]);
  }
  std::set<queue::Path*> poked;
  const auto step = [&] { logins_.step([&poked](queue::Path* path) { poked.insert(path); }); };
  step();
  EXPECT_TRUE(poked.empty()) << "there is no news";
  plan_to({target("smart.test", 587)});
  logins_.forget();
  step();
  EXPECT_GE(poked.size(), 2048U);
  EXPECT_LT(poked.size(), 2200U);
  while (logins_.waking()) step();
  EXPECT_EQ(poked.size(), 5000U);
}

TEST_F(LoginsTest, ALoginThatWorksAgainWakesThePathsWithMail) {
  queue::DomainEntry domain;
  auto route = std::make_shared<mx::Route>();
  route->kind = mx::Route::Kind::kHosts;
  route->site = "smart.test:587";
  domain.route = route;
  domain.settings = settings_;
  queue::Path* path = sites_.path_from(&domain, config_->sources[0]);
  queue::Delivery delivery;
  path->ready.push_back(&delivery);
  const OutboundConnection::Plan plan = plan_to({target("smart.test", 587)});
  const auto connection = connection_to(plan.targets[0], plan.login);
  logins_.answered(*connection, plan.targets[0], true);
  ASSERT_TRUE(logins_.waking());
  logins_.step([](queue::Path*) { ADD_FAILURE() << "its back-off stays"; });
  EXPECT_FALSE(logins_.waking());
  EXPECT_EQ(work_.take(), path);
  path->ready.erase(&delivery);
}

TEST_F(LoginsTest, APathWithoutALoginNeverWaitsForOne) {
  settings_->peer.login = "";
  EXPECT_EQ(plan_to({target("smart.test", 587)}).login.name, "");
  EXPECT_LE(logins_.until(path_), clock_.now());
}

}  // namespace
}  // namespace relay
