// What waits behind a block, how it is lifted, and what it outlives.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/sim/mx_example.h"

namespace sim {
namespace {

// It was said when it came to wait; each message of a campaign would cost a line again with every reload.
TEST(MxBlock, AReloadSaysNothingNewOfMailThatWaitsBehindABlock) {
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
TEST(MxBlock, ValidityRunsDuringABlock) {
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
TEST(MxBlock, ABlockOutlivesTheRuleThatMadeIt) {
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
TEST(MxBlock, AnOrderStandsBesideABlock) {
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
TEST(MxBlock, UnblockByDomainReachesABlockWithoutMail) {
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

// A host that is down when the block is over has not judged our mail: that it answers so passes no probe.
TEST(MxBlock, AHostThatTakesNoMailPassesNoProbe) {
  Example example(44, 1, example_limits(), 24h);
  MxWorld& world = example.world;
  example.send(300, true);
  ASSERT_TRUE(example.blocked());
  PeerRules& rules = world.peer(0).rules;
  rules.refuse_hard = 0;
  rules.refuse_mail = 1;
  rules.mail_text = "421 4.3.2 Service shutting down, try again later";
  const conf::Instant over = world.world.now() + 3h;
  const size_t before = world.history.mails.size();
  for (int i = 0; i < 50; ++i) world.submit("", {"u0@d0-0.test"});
  world.run_until(over + 35min);
  EXPECT_EQ(example.count(conf::DecisionAction::kRamp), 0U);
  EXPECT_GE(world.history.mails.size(), before + 5);
  EXPECT_LE(world.history.mails.size(), before + 10) << "at its end and 18 minutes later, five probes each";
  rules.refuse_mail = 0;
  world.run_until(over + 1h, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
  EXPECT_EQ(example.count(conf::DecisionAction::kRamp), 1U);
  example.expect_no_violation();
}

}  // namespace
}  // namespace sim
