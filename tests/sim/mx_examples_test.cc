// Histories written by hand, through the whole relay: the example that the threshold was ordered with, what
// waits behind a block, and fairness at a quota.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

DrawnRule rule_of_all(DrawnLimits limits) {
  DrawnRule rule;
  rule.name = "all";
  rule.mx = "mx?.test";
  rule.versions.emplace_back(conf::Instant{}, std::move(limits));
  return rule;
}

class Example {
 public:
  Example(uint64_t seed, size_t domains, DrawnLimits limits, conf::Duration validity) : world(seed) {
    world.history.rules = {rule_of_all(std::move(limits))};
    world.history.rule_of = {{0}};
    world.add_site(domains, 1);
    ConfigDraw draw;
    draw.validity = world.validity = validity;
    world.start(write_configuration(draw, world.history.rules));
  }
  // So many messages, one after the other; refused or taken.
  void send(uint64_t count, bool refused) {
    world.peer(0).rules.refuse_hard = refused ? 1 : 0;
    for (uint64_t i = 0; i < count; ++i) world.submit("", {"u0@d0-0.test"});
    world.run_until(world.world.now() + 30min, [this] { return world.settled() || blocked(); });
  }
  bool blocked() const { return count(conf::DecisionAction::kBlock) > 0; }
  size_t count(conf::DecisionAction action) const {
    return static_cast<size_t>(std::ranges::count_if(world.log.events, [&](const conf::DeliveryEvent& event) {
      return event.kind == conf::EventKind::kDecision && event.decision->action == action;
    }));
  }
  const conf::SiteDecision& block() const {
    return *std::ranges::find_if(world.log.events, [](const conf::DeliveryEvent& event) {
              return event.kind == conf::EventKind::kDecision &&
                     event.decision->action == conf::DecisionAction::kBlock;
            })->decision;
  }
  void expect_no_violation() {
    world.judge();
    for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << violation;
  }

  MxWorld world;
};

DrawnLimits example_limits() {
  DrawnLimits limits;
  limits.max_connections = 1;
  DrawnThreshold threshold;  // 90 % of at least 300
  threshold.window = 1h;
  threshold.block = 3h;
  threshold.max_block = 24h;
  limits.thresholds.push_back(threshold);
  return limits;
}

TEST(MxExample, Errors299Of299DoNotBlockAndThe300thDoes) {
  Example example(1, 1, example_limits(), 12h);
  example.send(299, true);
  EXPECT_FALSE(example.blocked());
  EXPECT_EQ(example.world.history.mails.size(), 299U);
  example.send(1, true);
  ASSERT_TRUE(example.blocked());
  EXPECT_EQ(example.block().messages, 300U);
  EXPECT_EQ(example.block().errors, 300U);
}

TEST(MxExample, Exactly90PercentOf300Block) {
  Example example(2, 1, example_limits(), 12h);
  example.send(30, false);
  example.send(269, true);
  EXPECT_FALSE(example.blocked());  // 269 of 299, which is 89.9 % of too few
  example.send(1, true);
  ASSERT_TRUE(example.blocked());
  EXPECT_EQ(example.block().messages, 300U);
  EXPECT_EQ(example.block().errors, 270U);
}

TEST(MxExample, Not899Of1000ButTheFirst90PercentAfterThat) {
  Example example(3, 1, example_limits(), 12h);
  example.send(101, false);
  example.send(899, true);
  EXPECT_EQ(example.world.history.mails.size(), 1000U);
  EXPECT_FALSE(example.blocked());  // 89.9 %
  example.send(9, true);
  EXPECT_FALSE(example.blocked());  // 908 of 1009
  example.send(1, true);
  ASSERT_TRUE(example.blocked());
  EXPECT_EQ(example.block().messages, 1010U);
  EXPECT_EQ(example.block().errors, 909U);
}

TEST(MxExample, ThreeHoursLaterProbesGoFirst) {
  for (const bool crash : {false, true}) {
    Example example(4, 1, example_limits(), 12h);
    MxWorld& world = example.world;
    example.send(300, true);
    ASSERT_TRUE(example.blocked());
    const conf::Instant blocked = world.world.now();
    const size_t before = world.history.mails.size();
    world.peer(0).rules.refuse_hard = 0;
    for (int i = 0; i < 200; ++i) world.submit("", {"u0@d0-0.test"});
    world.world.after(1h, [&] { crash ? world.crash(1min) : world.restart(1min); });
    world.run_until(blocked + 3h - 1s);
    EXPECT_EQ(world.history.mails.size(), before);
    world.run_until(blocked + 3h + 5s, [&] { return example.count(conf::DecisionAction::kRamp) > 0; });
    EXPECT_EQ(example.count(conf::DecisionAction::kRamp), 1U);
    EXPECT_GT(world.history.mails.size(), before);
    EXPECT_LE(world.history.mails.size(), before + 5);
    world.run_until(blocked + 4h, [&] { return world.settled(); });
    EXPECT_EQ(world.ledger.delivered.size(), 200U);
    example.expect_no_violation();
  }
}

// A backend that starts again refuses all for three seconds; a trouble that goes on is another matter.
TEST(MxExample, TroubleOfSecondsBlocksNothingWithMinDuration) {
  DrawnLimits limits = example_limits();
  limits.thresholds[0].min_duration = 5min;
  Example example(7, 1, limits, 12h);
  MxWorld& world = example.world;
  example.send(400, true);
  EXPECT_FALSE(example.blocked());
  example.send(100, false);
  EXPECT_EQ(world.history.mails.size(), 500U);
  example.send(600, true);  // 1000 of 1100, 90.9 %
  EXPECT_FALSE(example.blocked());
  world.run_until(world.world.now() + 5min);
  example.send(1, true);
  EXPECT_TRUE(example.blocked());
  world.run_until(world.world.now() + 1min, [&] { return world.settled(); });
  example.expect_no_violation();
}

TEST(MxExample, AFirstProbeFindsASiteThatIsWell) {
  for (const bool crash : {false, true}) {
    DrawnLimits limits = example_limits();
    limits.thresholds[0].first_probe = 10min;
    Example example(8, 1, limits, 12h);
    MxWorld& world = example.world;
    example.send(300, true);
    ASSERT_TRUE(example.blocked());
    const conf::Instant blocked = world.world.now();
    const size_t before = world.history.mails.size();
    for (int i = 0; i < 200; ++i) world.submit("", {"u0@d0-0.test"});
    world.run_until(blocked + 10min - 1s);
    EXPECT_EQ(world.history.mails.size(), before);
    world.run_until(blocked + 10min + 5s);
    EXPECT_EQ(world.history.mails.size(), before + 1) << "refused as well: the block goes on";
    world.peer(0).rules.refuse_hard = 0;
    world.world.after(1min, [&] { crash ? world.crash(1min) : world.restart(1min); });
    world.run_until(blocked + 20min - 1s);
    EXPECT_EQ(world.history.mails.size(), before + 1);
    world.run_until(blocked + 20min + 5s, [&] { return example.count(conf::DecisionAction::kRamp) > 0; });
    EXPECT_EQ(example.count(conf::DecisionAction::kRamp), 1U);
    world.run_until(blocked + 40min, [&] { return world.settled(); });
    EXPECT_EQ(world.ledger.delivered.size(), 199U);
    example.expect_no_violation();
  }
}

// It was said when it came to wait; each message of a campaign would cost a line again with every reload.
TEST(MxExample, AReloadSaysNothingNewOfMailThatWaitsBehindABlock) {
  Example example(6, 1, example_limits(), 12h);
  MxWorld& world = example.world;
  example.send(300, true);
  ASSERT_TRUE(example.blocked());
  for (int i = 0; i < 2000; ++i) world.submit("", {"u0@d0-0.test"});
  const auto held = [&world] {
    return std::ranges::count_if(world.log.events, [](const conf::DeliveryEvent& event) {
      return event.limit == conf::Bind::kBlocked;
    });
  };
  world.run_until(world.world.now() + 30min, [&] { return held() >= 2000; });
  ASSERT_EQ(held(), 2000);
  ConfigDraw draw;
  draw.validity = world.validity;
  for (int i = 0; i < 3; ++i) {
    world.reload(write_configuration(draw, world.history.rules));
    world.run_until(world.world.now() + 1min);
  }
  EXPECT_EQ(held(), 2000);
  EXPECT_FALSE(world.settled()) << "all of it still waits";
}

// What waits behind a block fails by its validity only, without an attempt, and with its report.
TEST(MxExample, ValidityRunsDuringABlock) {
  Example example(5, 1, example_limits(), 2h);
  MxWorld& world = example.world;
  example.send(300, true);
  ASSERT_TRUE(example.blocked());
  const conf::Instant blocked = world.world.now();
  const size_t before = world.history.mails.size();
  for (int i = 0; i < 20; ++i) world.submit("s@sender.test", {"u0@d0-0.test"});
  world.run_until(blocked + 2h - 1min);
  EXPECT_TRUE(world.ledger.reported.empty());
  world.run_until(blocked + 2h + 3min, [&] { return world.settled(); });
  EXPECT_EQ(world.history.mails.size(), before);
  EXPECT_EQ(world.ledger.reported.size(), 20U);
  const auto expired = std::ranges::count_if(world.log.events, [](const conf::DeliveryEvent& event) {
    return event.kind == conf::EventKind::kExpired && event.reverse_path == "s@sender.test";
  });
  EXPECT_EQ(expired, 20);
  example.expect_no_violation();
}

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
TEST(MxExample, AFloodLeavesOthersTheirShare) {
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
TEST(MxExample, AReceiptPassesAMailingWhateverItsSendersLookLike) {
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

// An idle connection to one customer's host is no use to the others: it goes as soon as one of them waits.
TEST(MxShared, ConnectionsGoToWhoeverHasMail) {
  DrawnLimits limits;
  limits.max_connections = limits.min_connections = 10;
  SharedExample example(21, 200, limits);
  for (size_t i = 0; i < 200; ++i) example.world.submit("news@shop.test", {SharedExample::at(i)});
  EXPECT_LT(example.run(10min), 30s);  // 100 s and more when each keeps its place for the 5 s of an idle one
  example.expect_at_most(10);
}

TEST(MxShared, ABigCustomerLeavesTheSmallOnesTheirTurns) {
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
TEST(MxShared, AReceiptPassesAMailingToOtherSites) {
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

DrawnLimits plain_limits(uint32_t connections) {
  DrawnLimits limits = example_limits();
  limits.max_connections = connections;
  return limits;
}

// A receiver that breaks every connection in the middle is no 300 errors, and not to be called 300 times.
TEST(MxRecovery, ConnectionsThatBreakBackThePathOffAndBlockNobody) {
  Example example(31, 1, plain_limits(20), 24h);
  MxWorld& world = example.world;
  world.peer(0).rules.drop = 1;
  for (int i = 0; i < 600; ++i) world.submit("", {"u0@d0-0.test"});
  const conf::Instant since = world.world.now();
  world.run_until(since + 30s);
  EXPECT_LE(world.history.sessions.size(), 60U);
  world.run_until(since + 10min);
  EXPECT_LE(world.history.sessions.size(), 100U);
  EXPECT_FALSE(example.blocked());
  world.peer(0).rules.drop = 0;
  const conf::Instant well = world.world.now();
  world.run_until(well + 12min, [&] { return world.settled(); });
  EXPECT_EQ(world.ledger.delivered.size(), 600U);
}

// Ten minutes without the receiver: its mail waits for the path, which is tried every minute, and all of it
// goes when the path is well.
TEST(MxRecovery, AnOutageOfTenMinutesDelaysItsMailByTwelve) {
  for (const bool greets : {false, true}) {
    Example example(32, 1, plain_limits(20), 24h);
    MxWorld& world = example.world;
    if (greets) {
      world.peer(0).rules.busy = 1;
      world.peer(0).rules.busy_text = "554 5.3.2 down";
    } else {
      world.network.refuse = 1;
    }
    const conf::Instant since = world.world.now();
    for (int i = 0; i < 30; ++i) world.world.after(20s * i, [&] { world.submit("", {"u0@d0-0.test"}); });
    world.run_until(since + 10min);
    EXPECT_EQ(world.ledger.delivered.size(), 0U);
    world.network.refuse = 0;
    world.peer(0).rules.busy = 0;
    world.run_until(since + 11min + 10s);
    EXPECT_EQ(world.ledger.delivered.size(), 30U) << greets;
  }
}

// A message that was asked to come slower comes again after a minute, with no step of its schedule used.
TEST(MxRecovery, APaceRefusalCostsAMessageAMinute) {
  Example example(33, 1, plain_limits(20), 24h);
  MxWorld& world = example.world;
  world.peer(0).rules.refuse_mail = 1;
  world.submit("", {"u0@d0-0.test"});
  const conf::Instant since = world.world.now();
  world.run_until(since + 5s);
  world.peer(0).rules.refuse_mail = 0;
  EXPECT_EQ(world.history.mails.size(), 1U);
  world.run_until(since + 3min, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
  const auto end = std::ranges::find_if(world.log.events, [](const conf::DeliveryEvent& event) {
    return event.kind == conf::EventKind::kDelivered;
  });
  ASSERT_NE(end, world.log.events.end());
  EXPECT_EQ(end->attempt, 2U);
}

size_t blocked_paths(MxWorld* world) {
  size_t blocked = 0;
  world->desk().paths(100, [&blocked](const std::vector<relay::admin::PathView>& views) {
    for (const relay::admin::PathView& view : views)
      blocked += view.state == mx::Standing::State::kBlocked ? 1 : 0;
  });
  return blocked;
}

// A block belongs to the site: a rule that is added above takes it over, by a reload and by a restart, with
// mail and without; it is listed all the time, and can be lifted.
TEST(MxState, ABlockOutlivesTheRuleThatMadeIt) {
  for (const bool restart : {false, true}) {
    Example example(41, 1, example_limits(), 24h);
    MxWorld& world = example.world;
    example.send(300, true);
    ASSERT_TRUE(example.blocked());
    world.peer(0).rules.refuse_hard = 0;
    const size_t before = world.history.mails.size();
    if (restart) world.restart(1min);
    world.run_until(world.world.now() + 3min);
    EXPECT_EQ(blocked_paths(&world), 1U) << restart;
    std::vector<DrawnRule> rules = world.history.rules;
    rules.insert(rules.begin(), rule_of_all(example_limits()));
    rules[0].name = "above";
    ConfigDraw draw;
    draw.validity = 24h;
    world.reload(write_configuration(draw, rules));
    EXPECT_EQ(blocked_paths(&world), 1U) << restart;
    for (int i = 0; i < 50; ++i) world.submit("", {"u0@d0-0.test"});
    world.run_until(world.world.now() + 1h);
    EXPECT_EQ(world.history.mails.size(), before) << restart;
    world.restart(1min);
    world.run_until(world.world.now() + 30min);
    EXPECT_EQ(world.history.mails.size(), before) << restart;
    EXPECT_GE(blocked_paths(&world), 1U) << restart;
    relay::admin::MxOrder order;
    order.action = relay::admin::MxAction::kUnblock;
    order.automatic = true;
    order.site = "mx0.test";
    EXPECT_GE(world.order(order).paths, 1U);
    world.run_until(world.world.now() + 10min, [&] { return world.settled(); });
    EXPECT_TRUE(world.settled()) << restart;
    EXPECT_EQ(blocked_paths(&world), 0U) << restart;
  }
}

// An order and a block by itself are two: lifting the one leaves the other, after a restart without mail too.
TEST(MxState, AnOrderStandsBesideABlock) {
  Example example(42, 1, example_limits(), 24h);
  MxWorld& world = example.world;
  example.send(300, true);
  ASSERT_TRUE(example.blocked());
  relay::admin::MxOrder order;
  order.action = relay::admin::MxAction::kBlock;
  order.site = "mx0.test";
  world.order(order);
  world.run_until(world.world.now() + 1min);
  world.restart(1min);
  world.run_until(world.world.now() + 10min);
  EXPECT_EQ(blocked_paths(&world), 1U);
  order.action = relay::admin::MxAction::kUnblock;
  EXPECT_TRUE(world.order(order).lifted);
  EXPECT_EQ(blocked_paths(&world), 1U);
  EXPECT_FALSE(world.order(order).lifted);  // no order is left; the block stays
  EXPECT_EQ(world.order(order).automatic, 1U);
  EXPECT_EQ(blocked_paths(&world), 1U);
  order.automatic = true;
  EXPECT_EQ(world.order(order).paths, 1U);
  EXPECT_EQ(blocked_paths(&world), 0U);
  EXPECT_EQ(world.order(order).paths, 0U);
}

// explain makes the path that an order by domain means: that is how the order comes in.
TEST(MxState, UnblockByDomainReachesABlockWithoutMail) {
  Example example(43, 1, example_limits(), 24h);
  MxWorld& world = example.world;
  example.send(300, true);
  ASSERT_TRUE(example.blocked());
  world.run_until(world.world.now() + 1min);
  world.restart(1min);
  world.run_until(world.world.now() + 5min);
  bool explained = false;
  world.desk().explain("d0-0.test", "", "", [&](const relay::admin::Explanation& told) {
    explained = true;
    ASSERT_EQ(told.paths.size(), 1U);
    EXPECT_EQ(told.paths[0].binds, mx::Bind::kBlocked);
  });
  world.run_until(world.world.now() + 10s);
  ASSERT_TRUE(explained);
  relay::admin::MxOrder order;
  order.action = relay::admin::MxAction::kUnblock;
  order.automatic = true;
  order.domain = "d0-0.test";
  EXPECT_EQ(world.order(order).paths, 1U);
  EXPECT_EQ(blocked_paths(&world), 0U);
}

// Our own causes: names that cannot be looked up, no matter how many, are no evidence against a site.
TEST(MxExample, OurOwnTroubleBlocksNobody) {
  DrawnLimits limits = example_limits();
  limits.thresholds[0].min_messages = 5;
  limits.thresholds[0].error_rate_ppm = 100'000;
  Example example(7, 1, limits, 12h);
  MxWorld& world = example.world;
  example.send(2, false);
  world.names.trouble = 1;
  world.run_until(world.world.now() + 10min);  // the route is forgotten
  for (int i = 0; i < 50; ++i) world.submit("", {"u0@d0-0.test"});
  world.run_until(world.world.now() + 1h);
  EXPECT_EQ(world.ledger.delivered.size(), 2U);
  for (int i = 0; i < 5; ++i) {
    world.restart(1s);
    world.run_until(world.world.now() + 1min);
  }
  world.names.trouble = 0;
  world.run_until(world.world.now() + 2h, [&] { return world.settled(); });
  EXPECT_FALSE(example.blocked());
  EXPECT_EQ(world.ledger.delivered.size(), 52U);
  example.expect_no_violation();
}

// What is delivered while the spool cannot be written would be delivered again after a crash.
TEST(MxExample, DeliveriesPauseWhileResultsCannotBeRecorded) {
  Example example(7, 1, DrawnLimits{}, 12h);
  MxWorld& world = example.world;
  world.submit("", {"u0@d0-0.test"});
  world.run_until(world.world.now() + 1min, [&world] { return world.settled(); });
  ASSERT_EQ(world.ledger.delivered.size(), 1U);
  world.peer(0).rules.refuse_soft = 1;
  world.submit("", {"u1@d0-0.test"});
  world.run_until(world.world.now() + 1min);
  world.peer(0).rules.refuse_soft = 0;
  world.spool().fail_writes(conf::Error{conf::ErrorCode::kIo, "the simulated disk is broken"});
  world.run_until(world.world.now() + 3h);
  EXPECT_EQ(world.ledger.delivered.size(), 1U);
  world.spool().fail_writes(std::nullopt);
  world.run_until(world.world.now() + 10s, [&world] { return world.settled(); });
  EXPECT_EQ(world.ledger.delivered.size(), 2U);
  EXPECT_TRUE(world.settled());
  example.expect_no_violation();
}

// Each of its deliveries writes down its own recipient.
TEST(MxExample, AMessageToAThousandDomainsWritesLinearly) {
  DrawnLimits limits;
  limits.max_connections = 20;
  Example example(3, 1000, std::move(limits), 12h);
  std::vector<std::string> recipients;
  for (int i = 0; i < 1000; ++i)
    recipients.push_back("u" + std::to_string(i) + "@d0-" + std::to_string(i) + ".test");
  example.world.submit("", recipients);
  example.world.run_until(example.world.world.now() + 2h, [&example] { return example.world.settled(); });
  EXPECT_EQ(example.world.ledger.delivered.size(), 1000U);
  EXPECT_LT(example.world.spool().counters().bytes_written, 1'500'000U);
  example.expect_no_violation();
}

}  // namespace
}  // namespace sim
