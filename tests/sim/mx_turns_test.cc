// Whose turn it is at a quota, a rate and the connections that sites share.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/mx_example.h"

namespace sim {
namespace {

// How many messages began from `since` until the last of `count` messages of the sender had begun.
size_t begun_before(const MxWorld& world, conf::Instant since, const std::string& from, size_t count) {
  size_t begun = 0;
  for (const SeenMail& mail : world.history.mails) {
    if (mail.at < since) continue;
    ++begun;
    if (mail.from == from && --count == 0) return begun;
  }
  return SIZE_MAX;
}

// At its quota a site serves the senders of a domain in turn, whatever the domains of their recipients: with
// three of them k messages of one are through after 3 k turns; beside those that were on their way.
TEST(MxTurns, AFloodLeavesOthersTheirShare) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    DrawnLimits limits;
    limits.max_connections = 1 + static_cast<uint32_t>(seed % 3);
    limits.messages_per_hour = 120;
    limits.smooth = seed % 2 == 0;
    Example example(seed, 2, limits, 24h);
    MxWorld& world = example.world;
    for (int i = 0; i < 300; ++i) world.submit("flood@sender.test", {"u0@d0-0.test"});
    world.run_until(world.world.now() + 17min);
    for (int i = 0; i < 10; ++i) world.submit("other@sender.test", {"u0@d0-1.test"});
    for (int i = 0; i < 10; ++i) world.submit("kin@sender.test", {"u0@d0-0.test"});
    const conf::Instant since = world.world.now();
    world.run_until(since + 6h, [&] { return world.settled(); });
    for (size_t k = 1; k <= 10; ++k) {
      EXPECT_LE(begun_before(world, since, "other@sender.test", k), 3 * k + limits.max_connections) << seed;
      EXPECT_LE(begun_before(world, since, "kin@sender.test", k), 3 * k + limits.max_connections) << seed;
    }
    EXPECT_TRUE(world.settled());
    example.expect_no_violation();
  }
}

// A mailing that waits at a rate has the turns of one sender, whatever its reverse-paths and recipient
// domains look like: a receipt of another sender domain goes with the second message at the latest, and one
// of another sender of the same domain too.
TEST(MxTurns, AReceiptPassesAMailingWhateverItsSendersLookLike) {
  using Kind = std::pair<const char*, std::function<std::pair<std::string, std::string>(int)>>;
  const std::vector<Kind> kinds = {
      {"one sender", [](int) { return std::pair("news@shop.test", "u0@d0-0.test"); }},
      {"VERP", [](int i) { return std::pair("b+" + std::to_string(i) + "@shop.test", "u0@d0-0.test"); }},
      {"VERP in the domain",
       [](int i) { return std::pair("b@n" + std::to_string(i) + ".shop.test", "u0@d0-0.test"); }},
      {"hosted domains",
       [](int i) { return std::pair("news@shop.test", "u0@d0-" + std::to_string(1 + i % 199) + ".test"); }},
  };
  for (const auto& [name, mail] : kinds) {
    DrawnLimits limits;
    limits.max_connections = 2;
    limits.rate = 60;
    Example example(11, 200, limits, 24h);
    MxWorld& world = example.world;
    for (int i = 0; i < 400; ++i) world.submit(mail(i).first, {mail(i).second});
    world.run_until(world.world.now() + 30s);
    for (const char* from : {"receipts@bank.test", "receipts@shop.test"}) {
      for (int i = 0; i < 5; ++i) {
        const conf::Instant since = world.world.now();
        world.submit(from, {"u0@d0-0.test"});
        world.run_until(since + 10s);
        EXPECT_LE(begun_before(world, since, from, 1), 2 + limits.max_connections) << name << ' ' << from;
      }
    }
    world.run_until(world.world.now() + 1h, [&] { return world.settled(); });
    example.expect_no_violation();
  }
}

// Sites that a rule counts together.
class SharedExample {
 public:
  SharedExample(uint64_t seed, size_t sites, DrawnLimits limits) : world(seed) {
    DrawnRule rule = rule_of_all(std::move(limits));
    rule.mx = "mx*.test";
    rule.one_site = true;
    world.history.rules = {rule};
    world.history.rule_of.assign(sites, {0});
    for (size_t i = 0; i < sites; ++i) world.add_site(1, 1);
    ConfigDraw draw;
    draw.validity = world.validity = 24h;
    world.start(write_configuration(draw, world.history.rules));
  }
  static std::string at(size_t site) { return "u0@d" + std::to_string(site) + "-0.test"; }
  void slow(conf::Duration each) {
    for (size_t i = 0; i < world.sites(); ++i) world.peer(i).rules.slow = each;
  }
  // From now until all is settled.
  conf::Duration run(conf::Duration most) {
    const conf::Instant since = world.world.now();
    world.run_until(since + most, [this] { return world.settled(); });
    return world.world.now() - since;
  }
  void expect_at_most(size_t connections) {
    std::vector<std::pair<conf::Instant, int>> changes;
    for (const SeenSession& session : world.history.sessions) {
      changes.emplace_back(session.opened, 1);
      changes.emplace_back(session.closed, -1);
    }
    std::ranges::sort(changes);
    int now = 0, most = 0;
    for (const auto& [at, change] : changes) most = std::max(most, now += change);
    EXPECT_LE(most, static_cast<int>(connections));
    for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << violation;
  }
  MxWorld world;
};

// From the end of a connection, as its receiver sees it, until the next one is seen.
constexpr conf::Duration kToConnect = 25ms;

// An idle connection to one customer's host is no use to the others: it goes as soon as one of them waits.
TEST(MxTurns, ConnectionsGoToWhoeverHasMail) {
  DrawnLimits limits;
  limits.max_connections = limits.min_connections = 10;
  SharedExample example(21, 200, limits);
  for (size_t i = 0; i < 200; ++i) example.world.submit("news@shop.test", {SharedExample::at(i)});
  EXPECT_LT(example.run(10min), 30s);  // 100 s and more when each keeps its place for the 5 s of an idle one
  example.expect_at_most(10);
}

// Several messages to each of 500 customers go over one connection each, as who knew of all of them would do
// it, and no place stays empty. Each message had one of its own, because a customer got a second one before
// others got their first.
TEST(MxTurns, FiveHundredCustomersHaveAConnectionEachAndNoPlaceIsEmpty) {
  constexpr int kPlaces = 10;
  for (const int each : {1, 2, 8}) {
    DrawnLimits limits;
    limits.max_connections = limits.min_connections = kPlaces;
    SharedExample example(24, 500, limits);
    MxWorld& world = example.world;
    const conf::Instant begin = world.world.now();
    for (int round = 0; round < each; ++round)
      for (size_t i = 0; i < 500; ++i) world.submit("news@shop.test", {SharedExample::at(i)});
    example.run(10min);
    ASSERT_EQ(world.history.mails.size(), static_cast<size_t>(each) * 500);
    EXPECT_LE(world.history.sessions.size(), 525U) << each;
    const conf::Instant end = world.history.mails.back().said;
    conf::Duration taken{0};
    for (const SeenSession& session : world.history.sessions)
      taken += std::min(session.closed, end) - session.opened + kToConnect;
    EXPECT_GE(taken, (end - begin) * kPlaces * 95 / 100) << each;
    example.expect_at_most(kPlaces);
  }
}

TEST(MxTurns, ABigCustomerLeavesTheSmallOnesTheirTurns) {
  DrawnLimits limits;
  limits.max_connections = limits.min_connections = 4;
  limits.messages_per_connection = 1000;
  SharedExample example(22, 20, limits);
  MxWorld& world = example.world;
  example.slow(100ms);
  for (size_t i = 0; i < 1500; ++i) world.submit("news@shop.test", {SharedExample::at(0)});
  world.run_until(world.world.now() + 5s);
  const conf::Instant since = world.world.now();
  for (size_t i = 1; i < 20; ++i) world.submit("receipts@bank.test", {SharedExample::at(i)});
  world.run_until(since + 20s);
  const auto small = std::ranges::count_if(
      world.history.mails, [](const SeenMail& mail) { return mail.from == "receipts@bank.test"; });
  EXPECT_EQ(small, 19);
  example.run(10min);
  EXPECT_TRUE(world.settled());
  example.expect_at_most(4);
}

// At a shared rate, with more customers than connections.
TEST(MxTurns, AReceiptPassesAMailingToOtherSites) {
  DrawnLimits limits;
  limits.max_connections = limits.min_connections = 5;
  limits.rate = 60;
  SharedExample example(23, 20, limits);
  MxWorld& world = example.world;
  for (size_t i = 0; i < 300; ++i)
    world.submit("b+" + std::to_string(i) + "@shop.test", {SharedExample::at(i % 15)});
  world.run_until(world.world.now() + 30s);
  const size_t before = world.history.mails.size();
  const conf::Instant begin = world.world.now();
  for (size_t i = 15; i < 20; ++i) {
    const conf::Instant since = world.world.now();
    world.submit("receipts@bank.test", {SharedExample::at(i)});
    world.run_until(since + 10s);
    EXPECT_LE(begun_before(world, since, "receipts@bank.test", 1), 3U) << i;
  }
  // And the rate is used: one a second.
  const auto used = static_cast<double>(world.history.mails.size() - before);
  EXPECT_GE(used, 0.95 * static_cast<double>((world.world.now() - begin) / 1s));
  example.run(10min);
  EXPECT_TRUE(world.settled());
  example.expect_at_most(5);
}

}  // namespace
}  // namespace sim
