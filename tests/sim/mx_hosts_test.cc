// Domains that share their MX hosts in part: the receiver counts at each host, whatever leads there.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>

#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_judge.h"
#include "tests/sim/mx_world.h"
#include "tests/sim/seeds.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// Under the rules of its history, with one source. When that was.
conf::Instant start(MxWorld* world, conf::Duration validity = 12h, const std::string& more = {}) {
  ConfigDraw draw;
  draw.validity = world->validity = validity;
  world->start(write_configuration(draw, world->history.rules) + more);
  return world->world.now();
}

// The most messages that a host got within a minute, and how many in the third minute.
struct Seen {
  size_t most = 0, third_minute = 0;
};
Seen seen_at(const MxWorld& world, size_t host, conf::Instant begin) {
  std::deque<conf::Instant> minute;
  Seen seen;
  for (const SeenMail& mail : world.history.mails) {
    if (world.history.sessions[mail.session].site != host) continue;
    minute.push_back(mail.at);
    while (minute.front() <= mail.at - 1min) minute.pop_front();
    seen.most = std::max(seen.most, minute.size());
    seen.third_minute += mail.at >= begin + 2min && mail.at < begin + 3min ? 1 : 0;
  }
  return seen;
}

// {a}, {a, b} and {a, b, c}: host a saw 180 messages a minute and 9 connections.
TEST(MxHosts, ThreeSetsThatOverlapGetOneRuleAtEachHost) {
  MxWorld world(1);
  DrawnLimits limits;
  limits.max_connections = 3;
  limits.rate = 60;
  world.history.rules = {rule_with(limits, CountedBy::kSource)};
  world.history.rule_of = {{0}, {0}, {0}};
  for (int i = 0; i < 3; ++i) world.add_site(1, 1);
  world.add_domain("ab.test", {0, 1});
  world.add_domain("abc.test", {0, 1, 2});
  const conf::Instant begin = start(&world);
  for (int i = 0; i < 150; ++i)
    for (const char* to : {"u0@d0-0.test", "u0@ab.test", "u0@abc.test"}) world.submit("", {to});
  world.run_until(begin + 30min, [&] { return world.settled(); });
  EXPECT_EQ(world.ledger.delivered.size(), 450U);
  world.judge();
  for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << violation;
  size_t third_minute = 0;
  for (size_t host = 0; host < 3; ++host) {
    const Seen seen = seen_at(world, host, begin);
    EXPECT_LE(seen.most, 60U) << "at host " << host;
    third_minute += seen.third_minute;
  }
  EXPECT_GE(third_minute, 90U) << "what one host may not take the others do";
}

// Customers of one provider, of whom some have another MX host beside his: he counts all of them together,
// and saw so many times his rule. `own`, `beside`: messages to a domain with his host alone, and to one of
// each of two with another host besides.
struct Parts {
  int own = 0, beside = 0;
};
void expect_one_rule(CountedBy scope, Parts messages, const char* what) {
  MxWorld world(4);
  DrawnLimits limits;
  limits.max_connections = 3;
  limits.rate = 60;
  limits.messages_per_connection = 10'000;
  DrawnRule rule = rule_with(limits, scope);
  rule.mx = "mx0.test";
  rule.one_site = true;
  world.history.rules = {rule, rule_with({}, CountedBy::kSource)};
  world.history.rules[1].name = "others";
  world.history.rule_of = {{0}, {1}, {1}};
  for (int i = 0; i < 3; ++i) world.add_site(1, 1);
  world.add_domain("ab.test", {0, 1});
  world.add_domain("ac.test", {0, 2});
  // The others take nothing, so that all goes to the provider.
  for (const size_t host : {1U, 2U}) {
    world.peer(host).rules.busy = 1;
    world.peer(host).rules.busy_text = "554 5.3.2 no mail here";
  }
  const conf::Instant begin = start(&world, 24h);
  for (int i = 0; i < messages.own; ++i) world.submit("", {"u0@d0-0.test"});
  for (int i = 0; i < messages.beside; ++i)
    for (const char* to : {"u0@ab.test", "u0@ac.test"}) world.submit("", {to});
  world.run_until(begin + 5min);
  EXPECT_LE(seen_at(world, 0, begin).most, 60U) << what;
  EXPECT_GE(seen_at(world, 0, begin).third_minute, 57U) << what;
  std::map<std::string, size_t> of;
  for (const auto& [key, count] : world.ledger.delivered) ++of[key.second];
  for (const char* to : {"u0@d0-0.test", "u0@ab.test", "u0@ac.test"})
    EXPECT_GE(of[to], 40U) << what << ": " << to << " has its turns";
  world.run_until(begin + 10h, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled()) << what;
  world.judge();
  for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << what << ": " << violation;
}

TEST(MxHosts, WhatARuleCountsTogetherHoldsForCustomersWithAnotherHostBesideToo) {
  expect_one_rule(CountedBy::kSource, {400, 400}, "by source");
  expect_one_rule(CountedBy::kPool, {400, 400}, "by pool");
  expect_one_rule(CountedBy::kPath, {400, 400}, "by address");
  expect_one_rule(CountedBy::kSource, {50, 2000}, "few of the many");
  expect_one_rule(CountedBy::kSource, {2000, 50}, "few with another host");
}

std::string destination(const std::string& domains) {
  return "[[destination]]\nname = \"other\"\ndomains = [" + domains + "]\n";
}

// Two sites with one host, of which one always has mail: it kept all connections to the host, for as long as
// it had any.
void expect_turns(DrawnLimits limits) {
  MxWorld world(2);
  limits.max_connections = 2;
  limits.messages_per_connection = 10'000;
  world.history.rules = {rule_with(limits, CountedBy::kSource)};
  world.history.rule_of = {{0}};
  world.add_site(2, 1);
  world.peer(0).rules.slow = 400ms;
  const conf::Instant begin = start(&world, 12h, destination("\"d0-1.test\""));
  for (int i = 0; i < 1000; ++i) world.submit("", {"u0@d0-0.test"});
  for (int i = 0; i < 20; ++i)
    world.world.after(5s + i * 2s, [&world] { world.submit("", {"u0@d0-1.test"}); });
  world.run_until(begin + 60s);
  size_t receipts = 0, others = 0;
  for (const auto& [key, count] : world.ledger.delivered)
    (key.second == "u0@d0-1.test" ? receipts : others) += 1;
  EXPECT_EQ(receipts, 20U);
  EXPECT_LT(others, 1000U) << "there was no queue";
  EXPECT_GE(others, 30U);
  world.run_until(begin + 1h, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
  for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << violation;
}

TEST(MxHosts, ASiteGetsItsTurnAtAHostThatAnotherKeepsBusy) { expect_turns({}); }

TEST(MxHosts, ASiteGetsItsTurnAtAHostWhoseConnectionsAnotherKeepsOpen) {
  DrawnLimits limits;
  limits.rate = 120;
  expect_turns(limits);
}

// Of two equal hosts one says for two seconds that it is not well, and the other is at its limit: a
// connection to the first, which is left for a minute, would end unused, and the next one, for as long.
void expect_no_storm(DrawnLimits limits, CountedBy scope, const char* what) {
  MxWorld world(3);
  world.history.rules = {rule_with(std::move(limits), scope)};
  world.history.rule_of = {{0}, {0}};
  for (int i = 0; i < 2; ++i) world.add_site(1, 1);
  world.add_domain("ab.test", {0, 1});
  world.peer(1).rules.mail_text = "451 4.3.2 System not accepting messages";
  world.peer(1).rules.refuse_mail = 1;
  const conf::Instant begin = start(&world);
  for (int i = 0; i < 150; ++i)
    for (const char* to : {"u0@d0-0.test", "u0@ab.test"}) world.submit("", {to});
  world.world.after(2s, [&world] { world.peer(1).rules.refuse_mail = 0; });
  world.run_until(begin + 60s);
  size_t unused = 0;
  for (const SeenSession& session : world.history.sessions)
    unused += session.site == 1 && session.mails.empty() ? 1 : 0;
  EXPECT_LE(unused, 10U) << what;
  world.run_until(begin + 6h, [&] { return world.settled(); });
  EXPECT_EQ(world.ledger.delivered.size(), 300U) << what;
  size_t at_second = 0;
  for (const SeenMail& mail : world.history.mails)
    at_second += world.history.sessions[mail.session].site == 1 ? 1 : 0;
  EXPECT_GE(at_second, 20U) << what << ": it is well again";
  world.judge();
  for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << what << ": " << violation;
}

TEST(MxHosts, AHostThatIsLeftSeesNoStormOfConnectionsWhileTheOtherIsAtItsLimit) {
  DrawnLimits rate, connections;
  rate.rate = 30;
  connections.max_connections = 1;
  connections.rate = 60;
  expect_no_storm(rate, CountedBy::kPath, "a rate for each host");
  expect_no_storm(rate, CountedBy::kSource, "a rate");
  expect_no_storm(connections, CountedBy::kPath, "one connection to each");
  expect_no_storm(connections, CountedBy::kSource, "one connection");
}

// Of two equal hosts one turns everybody away, and the other is at its limit: the first was asked all the
// time, and with each failure the path backed off from the other one too.
TEST(MxHosts, AHostThatTurnsAllAwayIsTriedOnceAMinuteAndDelaysNothingForTheOther) {
  for (const auto scope : {CountedBy::kPath, CountedBy::kSource}) {
    MxWorld world(5);
    DrawnLimits limits;
    limits.rate = 30;
    world.history.rules = {rule_with(limits, scope)};
    world.history.rule_of = {{0}, {0}};
    for (int i = 0; i < 2; ++i) world.add_site(1, 1);
    world.add_domain("ab.test", {0, 1});
    world.peer(1).rules.busy = 1;
    world.peer(1).rules.busy_text = "554 5.3.2 no mail here";
    const conf::Instant begin = start(&world);
    for (int i = 0; i < 300; ++i) world.submit("", {"u0@ab.test"});
    world.run_until(begin + 5min);
    const auto turned_away = std::ranges::count(world.history.sessions, 1U, &SeenSession::site);
    EXPECT_LE(turned_away, 15);
    // Where the rate is that of the site the other one is all that is needed.
    if (scope == CountedBy::kPath) {
      EXPECT_GE(turned_away, 3) << "it may be well again";
    }
    EXPECT_GE(seen_at(world, 0, begin).third_minute, 28U);
    for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << violation;
  }
}

// The connection rests for longer than idle_timeout, because its path has mail that may go soon.
TEST(MxHosts, OneConnectionServesARateThatIsSlowerThanTheIdleTimeout) {
  MxWorld world(6);
  DrawnLimits limits;
  limits.rate = 8;
  limits.burst = 1;
  limits.messages_per_connection = 10'000;
  world.history.rules = {rule_with(limits, CountedBy::kSource)};
  world.history.rule_of = {{0}};
  world.add_site(1, 1);
  const conf::Instant begin = start(&world);
  for (int i = 0; i < 20; ++i) world.submit("", {"u0@d0-0.test"});
  world.run_until(begin + 10min);
  EXPECT_EQ(world.ledger.delivered.size(), 20U);
  EXPECT_EQ(world.history.sessions.size(), 1U);
}

// Each domain of host 0 is a site of its own.
std::string a_destination_each(int domains) {
  std::string text;
  for (int i = 1; i < domains; ++i) {
    const std::string number = std::to_string(i);
    text += "[[destination]]\nname = \"other" + number + "\"\ndomains = [\"d0-" + number + ".test\"]\n";
  }
  return text;
}

// Several sites with one host: each opened a connection for the one message that the host's rate let begin,
// and all but one of them rested unused.
void expect_one_for_each_message(CountedBy scope, const char* what) {
  constexpr int kSites = 6;
  MxWorld world(7);
  DrawnLimits limits;
  limits.max_connections = 20;
  limits.rate = 12;
  limits.burst = 1;
  world.history.rules = {rule_with(limits, scope)};
  world.history.rule_of = {{0}};
  world.add_site(kSites, 1);
  const conf::Instant begin = start(&world, 12h, a_destination_each(kSites));
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    world.world.after(round * 60s, [&world] {
      for (int i = 0; i < kSites; ++i) world.submit("", {"u0@d0-" + std::to_string(i) + ".test"});
    });
  }
  world.run_until(begin + kRounds * 60s);
  const auto unused = std::ranges::count_if(world.history.sessions,
                                            [](const SeenSession& session) { return session.mails.empty(); });
  EXPECT_EQ(world.ledger.delivered.size(), static_cast<size_t>(kSites * kRounds)) << what;
  EXPECT_LE(unused, 2) << what;
  world.judge();
  for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << what << ": " << violation;
}

TEST(MxHosts, SitesOfOneHostOpenOneConnectionForEachMessageThatMayGo) {
  expect_one_for_each_message(CountedBy::kSource, "by source");
  expect_one_for_each_message(CountedBy::kPath, "by address");
}

// Many connections are never answered: mail of other sites than theirs waits for each no longer than a
// second.
TEST(MxHosts, AConnectionThatDoesNotOpenKeepsNoOtherSiteBack) {
  constexpr int kSites = 6, kWorlds = 8;
  size_t delivered = 0;  // of 120 in each; a world has luck, or none
  for (uint64_t seed = 1; seed <= kWorlds; ++seed) {
    MxWorld world(seed);
    DrawnLimits limits;
    limits.max_connections = 20;
    limits.rate = 12;
    limits.burst = 1;
    limits.messages_per_connection = 1;
    world.history.rules = {rule_with(limits, CountedBy::kSource)};
    world.history.rule_of = {{0}};
    world.add_site(kSites, 1);
    const conf::Instant begin = start(&world, 12h, a_destination_each(kSites));
    for (int i = 0; i < 600; ++i) world.submit("", {"u0@d0-" + std::to_string(i % kSites) + ".test"});
    world.network.stall = 0.4;
    world.run_until(begin + 10min);
    delivered += world.ledger.delivered.size();
    for (const std::string& violation : world.ledger.violations)
      ADD_FAILURE() << "seed " << seed << ": " << violation;
  }
  EXPECT_GE(delivered, 75U * kWorlds);
}

// Any sets, scopes and limits, with crashes and restarts between.
void run_seed(uint64_t seed) {
  conf::Random random(seed);
  MxWorld world(seed);
  const auto draw = [&random](uint64_t from, uint64_t to) {
    return static_cast<uint32_t>(from + random.below(to - from + 1));
  };
  DrawnLimits limits;
  limits.max_connections = draw(1, 4);
  limits.messages_per_connection = draw(1, 20);
  if (random.chance(0.6)) limits.rate = draw(6, 60);
  if (random.chance(0.5)) limits.messages_per_hour = draw(20, 300);
  limits.burst = random.chance(0.5) ? 1 : std::max(limits.rate, 1U);
  const auto scope = static_cast<CountedBy>(random.below(3));
  ConfigDraw config;
  config.sources = draw(1, 3);
  config.validity = world.validity = 8h;
  const size_t hosts = draw(2, 4);
  world.history.rules = {rule_with(limits, scope)};
  world.history.rule_of.assign(hosts, std::vector<size_t>(config.sources, 0));
  for (size_t i = 0; i < hosts; ++i) world.add_site(1, draw(1, 2));
  std::vector<std::string> domains;
  for (size_t i = 0; i < hosts; ++i) domains.push_back("d" + std::to_string(i) + "-0.test");
  for (int i = 0; i < 5; ++i) {
    std::vector<size_t> of;
    for (size_t host = 0; host < hosts; ++host)
      if (random.chance(0.6)) of.push_back(host);
    if (of.empty()) continue;
    domains.push_back("x" + std::to_string(i) + ".test");
    world.add_domain(domains.back(), of);
  }
  const bool split = seed % 5 < 2;  // some of the same hosts under another destination
  world.start(write_configuration(config, world.history.rules) +
              (split ? destination("\"x1.test\", \"d0-0.test\"") : std::string()));
  const conf::Instant begin = world.world.now();
  for (int i = 0; i < 250; ++i) {
    const conf::Duration at = conf::Duration(static_cast<int64_t>(random.below(5'400'000'000)));
    const std::string to = "u0@" + domains[random.below(domains.size())];
    world.world.after(random.chance(0.5) ? 1s : at, [&world, to] { world.submit("", {to}); });
  }
  for (int i = 0; i < 3; ++i) {
    const conf::Duration at = 1min * draw(1, 120);
    const bool crash = random.chance(0.5);
    world.world.after(at, [&world, crash] { crash ? world.crash(20s) : world.restart(20s); });
  }
  world.run_until(begin + 3h);
  world.run_until(begin + 10h, [&] { return world.settled(); });
  world.judge();
  for (const std::string& violation : world.ledger.violations)
    ADD_FAILURE() << "seed " << seed << ": " << violation;
}

TEST(MxHosts, NoHostSeesMoreThanItsRuleWhateverLeadsThere) {
  for (const uint64_t seed : seeds_to_play("mx_hosts", 200)) {
    run_seed(seed);
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace sim
