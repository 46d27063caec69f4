#include "relay/flow/hosts.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class HostsTest : public PathTest {
 protected:
  HostsTest() {
    route_by({{"best.test", 5, 25, {"192.0.2.1", "192.0.2.2"}}, {"backup.test", 10, 25, {"192.0.2.3"}}});
  }
  std::vector<std::string> to_try(const Hosts::May& may = [](const std::string&) { return true; }) {
    std::vector<std::string> addresses;
    for (const Target& target : hosts_.to_try(path_, clock_.now(), may)) addresses.push_back(target.address);
    return addresses;
  }
  static Target target(const std::string& address, uint16_t rank = 0) { return {"", address, 25, rank, {}}; }

  Hosts hosts_{&random_};
};

TEST_F(HostsTest, TheBestPreferenceGoesFirstAndItsAddressesByChance) {
  std::set<std::string> firsts;
  for (int i = 0; i < 100; ++i) {
    const std::vector<Target> targets = hosts_.in_order(path_);
    ASSERT_EQ(targets.size(), 3U);
    EXPECT_EQ(targets[2].address, "192.0.2.3");
    EXPECT_EQ(targets[2].rank, 1U);
    EXPECT_EQ(targets[0].rank, 0U);
    firsts.insert(targets[0].address);
  }
  EXPECT_EQ(firsts.size(), 2U);
}

TEST_F(HostsTest, ASourceTriesOnlyAddressesOfItsFamily) {
  route_by({{"mx.test", 5, 25, {"192.0.2.1", "2001:db8::1"}}});
  path_.source.address = "2001:db8::2";
  EXPECT_EQ(to_try(), (std::vector<std::string>{"2001:db8::1"}));
  EXPECT_TRUE(hosts_.any_well(path_, clock_.now()));
  path_.source.address = "192.0.2.100";
  hosts_.failed(path_, target("192.0.2.1"), clock_.now(), clock_.now());
  EXPECT_FALSE(hosts_.any_well(path_, clock_.now())) << "the other one is out of reach";
}

TEST_F(HostsTest, AHostThatFailedStandsBehindTheOthersForAMinute) {
  hosts_.failed(path_, target("192.0.2.1"), clock_.now(), clock_.now());
  hosts_.failed(path_, target("192.0.2.2"), clock_.now(), clock_.now());
  EXPECT_EQ(to_try().front(), "192.0.2.3");
  EXPECT_EQ(to_try().size(), 3U);
  clock_.time += 61s;
  EXPECT_NE(to_try().front(), "192.0.2.3");
}

TEST_F(HostsTest, ToLeaveAHostAgainDoesNotMakeTheTimeShorter) {
  hosts_.leave(path_, target("192.0.2.1"), clock_.now() + 10min);
  hosts_.leave(path_, target("192.0.2.1"), clock_.now() + 1min);
  clock_.time += 5min;
  EXPECT_EQ(to_try().back(), "192.0.2.1");
}

TEST_F(HostsTest, AHostAtItsLimitHidesThoseOfAWorsePreferenceAndAFailingOneDoesNot) {
  const auto not_the_best = [](const std::string& address) { return address == "192.0.2.3"; };
  EXPECT_EQ(to_try(not_the_best), std::vector<std::string>{});
  hosts_.failed(path_, target("192.0.2.1"), clock_.now(), clock_.now());
  hosts_.failed(path_, target("192.0.2.2"), clock_.now(), clock_.now());
  EXPECT_EQ(to_try(not_the_best), (std::vector<std::string>{"192.0.2.3"}));
}

// What it is opened for would not be sent over it: the host that is well is waited for.
TEST_F(HostsTest, AHostThatIsLeftIsNotOpenedWhileAnotherIsOnlyAtItsLimit) {
  const auto not_the_second = [](const std::string& address) { return address != "192.0.2.2"; };
  const conf::Instant until = clock_.now() + 1min;
  EXPECT_EQ(Hosts::left_until(path_, clock_.now()), conf::kNever);
  hosts_.leave(path_, target("192.0.2.1"), until);
  EXPECT_EQ(to_try(not_the_second), std::vector<std::string>{});
  EXPECT_EQ(Hosts::left_until(path_, clock_.now()), until);
  EXPECT_TRUE(hosts_.is_left_for_another(*connection_to(target("192.0.2.1")), clock_.now()));
  // Of the best preference none is well, and the backup is at its limit.
  hosts_.leave(path_, target("192.0.2.2"), until);
  EXPECT_EQ(to_try([](const std::string& address) { return address != "192.0.2.3"; }),
            std::vector<std::string>{});
  EXPECT_EQ(to_try().front(), "192.0.2.3") << "which has room";
  EXPECT_EQ(to_try().size(), 3U);
  hosts_.failed(path_, target("192.0.2.3"), clock_.now(), clock_.now());
  EXPECT_EQ(to_try([](const std::string& address) { return address != "192.0.2.3"; }).size(), 2U);
  EXPECT_FALSE(hosts_.is_left_for_another(*connection_to(target("192.0.2.1")), clock_.now()));
}

// Else the path would fail with it, and back off from the one that is well.
TEST_F(HostsTest, AHostThatFailsIsNotOpenedWhileAnotherIsOnlyAtItsLimit) {
  const auto not_the_second = [](const std::string& address) { return address != "192.0.2.2"; };
  hosts_.failed(path_, target("192.0.2.1"), clock_.now(), clock_.now());
  EXPECT_EQ(to_try(not_the_second), std::vector<std::string>{});
  EXPECT_EQ(Hosts::left_until(path_, clock_.now()), clock_.now() + 1min);
  EXPECT_EQ(to_try().size(), 3U) << "when it has room";
  clock_.time += 1min;
  EXPECT_EQ(to_try(not_the_second), std::vector<std::string>{"192.0.2.1"}) << "once a minute";
}

// A path of another source waited for the limit of a host that was well, and slept on when it was not.
TEST_F(HostsTest, AllPathsOfASiteThatHaveMailAreAskedAgainWhenAHostGetsWorse) {
  std::vector<const queue::Path*> asked;
  Hosts hosts(&random_, [&asked](queue::Path* path) { asked.push_back(path); });
  queue::Delivery delivery;
  queue::Path* waits = (site_.paths["two"] = std::make_unique<queue::Path>()).get();
  site_.paths["three"] = std::make_unique<queue::Path>();
  waits->ready.push_back(&delivery);
  hosts.leave(path_, target("192.0.2.1"), clock_.now() + 1min);
  EXPECT_EQ(std::exchange(asked, {}), (std::vector<const queue::Path*>{waits}));
  hosts.failed(path_, target("192.0.2.2"), clock_.now(), clock_.now());
  EXPECT_EQ(std::exchange(asked, {}), (std::vector<const queue::Path*>{waits}));
  clock_.time += 20s;
  hosts.was_silent(path_, target("192.0.2.3"), clock_.now() - 10s, clock_.now());
  EXPECT_EQ(std::exchange(asked, {}), (std::vector<const queue::Path*>{waits}));
  route_by({{"mx.test", 5, 25, {"192.0.2.1"}}});
  hosts.leave(path_, target("192.0.2.1"), clock_.now() + 1min);
  EXPECT_TRUE(asked.empty()) << "there is nowhere else to go";
  waits->ready.erase(&delivery);
}

TEST_F(HostsTest, AConnectionToABackupIsWorseThanNeededWhenABetterHostIsWellAgain) {
  const auto backup = connection_to(target("192.0.2.3", 1));
  hosts_.failed(path_, target("192.0.2.1"), clock_.now(), clock_.now());
  hosts_.failed(path_, target("192.0.2.2"), clock_.now(), clock_.now());
  EXPECT_FALSE(hosts_.is_worse_than_needed(*backup, clock_.now()));
  EXPECT_FALSE(hosts_.has_other(*backup, clock_.now()));
  clock_.time += 61s;
  EXPECT_TRUE(hosts_.is_worse_than_needed(*backup, clock_.now()));
  EXPECT_TRUE(hosts_.has_other(*backup, clock_.now()));
}

TEST_F(HostsTest, AConnectionToAHostThatIsLeftIsWorseThanNeededWhileAnotherOneIsWell) {
  const auto best = connection_to(target("192.0.2.1"));
  EXPECT_FALSE(hosts_.is_worse_than_needed(*best, clock_.now()));
  hosts_.leave(path_, target("192.0.2.1"), clock_.now() + 1min);
  EXPECT_TRUE(hosts_.is_worse_than_needed(*best, clock_.now()));
  hosts_.failed(path_, target("192.0.2.2"), clock_.now(), clock_.now());
  hosts_.failed(path_, target("192.0.2.3"), clock_.now(), clock_.now());
  EXPECT_FALSE(hosts_.is_worse_than_needed(*best, clock_.now()));
}

TEST_F(HostsTest, ThatTlsFailsIsNewsOnceAndLeavesStartTlsOut) {
  EXPECT_TRUE(hosts_.tls_failed(target("192.0.2.1"), clock_.now()));
  EXPECT_FALSE(hosts_.tls_failed(target("192.0.2.1"), clock_.now()));
  const conf::PeerSettings all;
  EXPECT_TRUE(hosts_.left_out_for(target("192.0.2.1"), all, clock_.now()).has(smtp::Extension::kStartTls));
  EXPECT_FALSE(hosts_.left_out_for(target("192.0.2.2"), all, clock_.now()).has(smtp::Extension::kStartTls));
}

TEST_F(HostsTest, WhatTheDestinationSwitchesOffIsLeftOut) {
  conf::PeerSettings some;
  some.size = false;
  some.dsn = false;
  const smtp::ExtensionSet off = hosts_.left_out_for(target("192.0.2.1"), some, clock_.now());
  EXPECT_TRUE(off.has(smtp::Extension::kSize));
  EXPECT_TRUE(off.has(smtp::Extension::kDsn));
  EXPECT_FALSE(off.has(smtp::Extension::kSmtpUtf8));
}

// What was under way when the host fell silent says no more of it than the first visit that failed.
TEST_F(HostsTest, VisitsBegunBeforeASilenceNeitherMakeItLongerNorEndIt) {
  const conf::Instant began = clock_.now();
  clock_.time += 5min;
  for (int i = 0; i < 8; ++i) hosts_.was_silent(path_, target("192.0.2.1"), began, clock_.now());
  hosts_.answered(path_, target("192.0.2.1"), began);
  const queue::SlowHost& slow = site_.slow_hosts[{"one", "192.0.2.1"}];
  EXPECT_EQ(slow.until, clock_.now() + 20min);
  hosts_.answered(path_, target("192.0.2.1"), clock_.now());
  EXPECT_TRUE(site_.slow_hosts.empty());
}

TEST_F(HostsTest, ShortSilencesAndTheOnlyAddressOfTheFamilyOfTheSourceAreNotMeant) {
  hosts_.was_silent(path_, target("192.0.2.1"), clock_.now() - 4s, clock_.now());
  EXPECT_TRUE(site_.slow_hosts.empty());
  path_.source.address = "192.0.2.99";
  route_by({{"mx.test", 5, 25, {"192.0.2.1", "2001:db8::1"}}});
  hosts_.was_silent(path_, target("192.0.2.1"), clock_.now() - 5min, clock_.now());
  EXPECT_TRUE(site_.slow_hosts.empty());
}

// As behind a firewall that lets only some of our addresses through.
TEST_F(HostsTest, AHostThatIsSilentToOneSourceIsWellForTheOthers) {
  hosts_.was_silent(path_, target("192.0.2.1"), clock_.now() - 5min, clock_.now());
  hosts_.failed(path_, target("192.0.2.2"), clock_.now(), clock_.now());
  EXPECT_EQ(to_try().front(), "192.0.2.3");
  path_.source.name = "other";
  EXPECT_EQ(to_try().front(), "192.0.2.1");
}

TEST_F(HostsTest, SilenceToANewConnectionEndsNoneThatWorks) {
  const auto best = connection_to(target("192.0.2.1"));
  hosts_.failed(path_, target("192.0.2.1"), clock_.now() - 5min, clock_.now());
  EXPECT_TRUE(hosts_.has_other(*best, clock_.now()));
  EXPECT_FALSE(hosts_.is_worse_than_needed(*best, clock_.now()));
}

}  // namespace
}  // namespace relay
