// What operators are told of mail that waits, while it waits.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "tests/sim/mx_example.h"

namespace sim {
namespace {

using relay::admin::WaitingState;

relay::admin::Explanation explained(MxWorld* world, const std::string& domain) {
  relay::admin::Explanation answer;
  bool told = false;
  world->desk().explain(domain, "", "", [&](const relay::admin::Explanation& explanation) {
    answer = explanation;
    told = true;
  });
  world->run_until(world->world.now() + 5s, [&] { return told; });
  EXPECT_TRUE(told);
  return answer;
}

// Deferred mail stands on no path: it is told of nevertheless, after a restart too.
TEST(Waiting, DeferredMailIsCountedWithItsReasonAndItsTime) {
  Example example(71, 2, DrawnLimits(), 24h);
  MxWorld& world = example.world;
  world.peer(0).rules.refuse_soft = 1;
  world.peer(0).rules.soft_text = "452 4.2.2 mailbox full";
  for (int i = 0; i < 20; ++i) world.submit("", {"u0@d0-0.test"});
  for (int i = 0; i < 3; ++i) world.submit("", {"u0@d0-1.test"});
  world.run_until(world.world.now() + 20s);
  for (const bool restarted : {false, true}) {
    if (restarted) {
      world.restart(1s);
      world.run_until(world.world.now() + 10s);
    }
    const relay::admin::Waiting waiting = explained(&world, "d0-0.test").waiting;
    EXPECT_EQ(waiting.of(WaitingState::kScheduled), 20U) << restarted;
    EXPECT_EQ(waiting.total(), 20U) << restarted;
    ASSERT_FALSE(waiting.reasons.empty()) << restarted;
    EXPECT_TRUE(waiting.reasons[0].text.starts_with("deferred: 4")) << waiting.reasons[0].text;
    EXPECT_EQ(waiting.reasons[0].count, 20U);
    ASSERT_TRUE(waiting.next_seconds.has_value());
    EXPECT_GT(*waiting.next_seconds, 0);
  }
  std::shared_ptr<const relay::admin::Census> census;
  world.desk().census(
      "", [&](std::shared_ptr<const relay::admin::Census> counted) { census = std::move(counted); });
  world.run_until(world.world.now() + 1s);
  ASSERT_NE(census, nullptr);
  EXPECT_EQ(relay::admin::all_of(*census).of(WaitingState::kScheduled), 23U);
}

// Its greylist knows it by our address: who looks for the mail wants to know which that is.
TEST(Waiting, GreylistedMailNamesTheSourceThatItComesBackFrom) {
  Example example(73, 1, DrawnLimits(), 24h);
  MxWorld& world = example.world;
  world.peer(0).rules.refuse_soft = 1;
  const auto source_after = [&](const char* reply) {
    world.peer(0).rules.soft_text = reply;
    const size_t before = world.log.events.size();
    world.submit("", {"u0@d0-0.test"});
    world.run_until(world.world.now() + 20s);
    EXPECT_GT(world.log.events.size(), before);
    conf::DeliveryEvent last;
    for (const conf::DeliveryEvent& event : world.log.events)
      if (event.kind == conf::EventKind::kDeferred) last = event;
    const std::vector<relay::admin::DeliveryView> views = world.desk().deliveries_of(last.id);
    EXPECT_EQ(views.size(), 1U);
    EXPECT_EQ(views.at(0).state, WaitingState::kScheduled);
    return std::pair(views.at(0).source, last.source);
  };
  const auto [told, from] = source_after("450 4.7.1 Greylisted, please try again later");
  EXPECT_FALSE(told.empty());
  EXPECT_EQ(told, from);
  EXPECT_EQ(source_after("452 4.2.2 mailbox full").first, "") << "one is drawn when it is due";
}

// It is told as what it is: no decision about a path.
TEST(Waiting, AnOrderOnTheQueueIsAnEventOfItsOwnWithWhoGaveIt) {
  Example example(72, 1, DrawnLimits(), 24h);
  for (size_t action = 0; action < conf::kQueueActions; ++action) {
    example.world.desk().ordered({static_cast<conf::QueueAction>(action), "domain = x.test", "anna", 3});
    const conf::DeliveryEvent& event = example.world.log.events.back();
    ASSERT_EQ(event.kind, conf::EventKind::kQueueOrder);
    EXPECT_EQ(event.order->action, static_cast<conf::QueueAction>(action));
    EXPECT_EQ(event.order->by, "operator anna");
    EXPECT_EQ(event.order->what, "domain = x.test");
    EXPECT_EQ(event.order->messages, 3U);
    EXPECT_EQ(event.decision, nullptr);
  }
}

// The log says so when the path begins to fail, and once for each time, however often it is tried.
TEST(Waiting, ADeadReceiverIsInTheLogAtOnceAndOnce) {
  Example example(73, 1, DrawnLimits(), 24h);
  MxWorld& world = example.world;
  world.network.refuse = 1;
  for (int i = 0; i < 20; ++i) world.submit("", {"u0@d0-0.test"});
  const auto told = [&] {
    return std::count_if(
        world.log.events.begin(), world.log.events.end(), [](const conf::DeliveryEvent& event) {
          return event.kind == conf::EventKind::kTrouble && event.stage == conf::Stage::kConnect;
        });
  };
  world.run_until(world.world.now() + 20s);
  EXPECT_EQ(told(), 1);
  world.run_until(world.world.now() + 5min);
  EXPECT_EQ(told(), 1);
  const relay::admin::Waiting waiting = explained(&world, "d0-0.test").waiting;
  EXPECT_EQ(waiting.of(WaitingState::kReady), 20U);
  ASSERT_FALSE(waiting.reasons.empty());
  EXPECT_TRUE(waiting.reasons[0].text.starts_with("no connection: ")) << waiting.reasons[0].text;
  world.network.refuse = 0;
  world.run_until(world.world.now() + 30min, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
}

// A scrape of the metrics asks for no summary.
TEST(Refused, WhatWasRefusedAtTheDoorIsKnownWithoutASummary) {
  Example example(74, 1, DrawnLimits(), 24h);
  MxWorld& world = example.world;
  relay::Desk::Parts parts;
  parts.transit = &world.transit();
  parts.journal = &world.log.journal;
  parts.metrics = &world.log.metrics;
  uint64_t refused = 3;
  parts.refused_at_door = [&] {
    return std::vector<conf::DoorCount>{{"main", conf::DoorReason::kWrongPassword, refused}};
  };
  const relay::Desk desk(std::move(parts));
  ASSERT_EQ(desk.last_known().refused_at_door.size(), 1U);
  EXPECT_EQ(desk.last_known().refused_at_door[0].count, 3U);
  refused = 4;
  EXPECT_EQ(desk.last_known().refused_at_door[0].count, 4U);
}

// Two sites; nothing is sent yet.
class Orders : public testing::Test {
 protected:
  Orders() : world(72) {
    world.history.rules = {rule_of_all(DrawnLimits())};
    world.history.rule_of = {{0}, {0}};
    world.add_site(1, 1);
    world.add_site(1, 1);
    ConfigDraw draw;
    draw.validity = world.validity = 24h;
    world.start(write_configuration(draw, world.history.rules));
  }
  relay::admin::MxOrderDone give(relay::admin::MxAction action, const std::string& site,
                                 conf::Duration length = conf::Duration(0)) {
    relay::admin::MxOrder order;
    order.action = action;
    order.site = site;
    order.all = site.empty();
    order.block_for = length;
    order.who = "anna";
    return world.order(order);
  }
  // How many of the mails handed in now arrive within some minutes.
  size_t sent_to(const std::string& domain) {
    const size_t before = world.history.mails.size();
    for (int i = 0; i < 5; ++i) world.submit("", {"u0@" + domain});
    world.run_until(world.world.now() + 3min);
    return world.history.mails.size() - before;
  }
  static constexpr auto kBlock = relay::admin::MxAction::kBlock;
  static constexpr auto kUnblock = relay::admin::MxAction::kUnblock;

  MxWorld world;
};

TEST_F(Orders, APauseOfAllHoldsForPathsYetToComeAndOverARestart) {
  const relay::admin::MxOrderDone done = give(kBlock, "");
  EXPECT_EQ(done.paths, 0U);
  EXPECT_TRUE(done.also_later);
  EXPECT_EQ(sent_to("d0-0.test"), 0U);
  world.restart(1s);
  world.run_until(world.world.now() + 1min);
  ASSERT_EQ(world.desk().orders().size(), 1U);
  EXPECT_EQ(sent_to("d1-0.test"), 0U);
  relay::admin::MxOrder asked;
  asked.action = kUnblock;
  asked.all = asked.dry_run = true;
  EXPECT_TRUE(world.order(asked).lifted);
  EXPECT_EQ(world.desk().orders().size(), 1U);  // that was only asked
  EXPECT_TRUE(give(kUnblock, "").lifted);
  world.run_until(world.world.now() + 5min, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
}

TEST_F(Orders, LiftingOneLeavesTheOthers) {
  give(kBlock, "mx0.test");
  give(kBlock, "");
  EXPECT_EQ(sent_to("d0-0.test") + sent_to("d1-0.test"), 0U);
  give(kUnblock, "");
  world.run_until(world.world.now() + 3min);
  EXPECT_EQ(world.history.mails.size(), 5U);  // the other site's
  EXPECT_EQ(sent_to("d0-0.test"), 0U);
  give(kUnblock, "mx0.test");
  world.run_until(world.world.now() + 5min, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
}

TEST_F(Orders, WhatWasOrderedByDomainIsLiftedBySite) {
  EXPECT_EQ(sent_to("d0-0.test"), 5U);
  relay::admin::MxOrder order;
  order.action = kBlock;
  order.domain = "d0-0.test";
  EXPECT_EQ(world.order(order).paths, 1U);
  EXPECT_EQ(sent_to("d0-0.test"), 0U);
  give(kUnblock, "mx0.test");
  EXPECT_TRUE(world.desk().orders().empty());
  world.run_until(world.world.now() + 5min, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
}

TEST_F(Orders, WhatWasOrderedBySiteIsLiftedByDomainUnlessItMeansOtherSitesToo) {
  EXPECT_EQ(sent_to("d0-0.test") + sent_to("d1-0.test"), 10U);
  give(kBlock, "mx0.test");
  give(kBlock, "mx?.test");
  relay::admin::MxOrder order;
  order.action = kUnblock;
  order.domain = "d0-0.test";
  const relay::admin::MxOrderDone done = world.order(order);
  EXPECT_TRUE(done.lifted);
  EXPECT_EQ(done.held, 1U);  // by the wider one
  ASSERT_EQ(world.desk().orders().size(), 1U);
  EXPECT_EQ(world.desk().orders()[0].order.site, "mx?.test");
  EXPECT_EQ(sent_to("d0-0.test"), 0U);
}

TEST_F(Orders, APathThatLeavesTheRuleOfAnOrderIsFree) {
  EXPECT_EQ(sent_to("d0-0.test"), 5U);
  relay::admin::MxOrder order;
  order.rule = "all";
  EXPECT_EQ(world.order(order).paths, 1U);
  EXPECT_EQ(sent_to("d0-0.test"), 0U);
  DrawnRule other = rule_of_all(DrawnLimits());
  other.name = "other";
  other.mx = "mx0.test";
  ConfigDraw draw;
  draw.validity = 24h;
  world.reload(write_configuration(draw, {other, rule_of_all(DrawnLimits())}));
  world.run_until(world.world.now() + 5min, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
  ASSERT_EQ(world.desk().orders().size(), 1U) << "it stands";
  world.reload(write_configuration(draw, {rule_of_all(DrawnLimits())}));
  world.run_until(world.world.now() + 10s);
  EXPECT_EQ(sent_to("d0-0.test"), 0U) << "and means what comes under its rule again";
}

TEST_F(Orders, ARuleThatIsRenamedTakesTheOrderAlong) {
  relay::admin::MxOrder order;
  order.rule = "all";
  EXPECT_TRUE(world.order(order).also_later);
  EXPECT_EQ(sent_to("d0-0.test"), 0U);
  DrawnRule renamed = rule_of_all(DrawnLimits());
  renamed.name = "other";
  ConfigDraw draw;
  draw.validity = 24h;
  world.reload(write_configuration(draw, {renamed}));
  world.restart(1s);
  EXPECT_EQ(sent_to("d0-0.test") + sent_to("d1-0.test"), 0U);
  order.rule = "other";
  order.action = kUnblock;
  EXPECT_TRUE(world.order(order).lifted);
  world.run_until(world.world.now() + 5min, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
}

// An order by a domain is about where it leads: when its MX changes the one site is free and the other is
// not.
TEST(OrdersByDomain, TheyFollowTheDomain) {
  MxWorld world(75);
  world.history.rules = {rule_of_all(DrawnLimits())};
  world.history.rule_of = {{0}, {0}};
  world.add_site(2, 1);
  world.add_site(1, 1);
  ConfigDraw draw;
  draw.validity = world.validity = 24h;
  world.names.ttl = 20s;
  world.start(write_configuration(draw, world.history.rules));
  const auto arrived = [&](const std::string& domain, conf::Duration length) {
    const size_t before = world.history.mails.size();
    for (int i = 0; i < 5; ++i) world.submit("", {"u0@" + domain});
    world.run_until(world.world.now() + length);
    return world.history.mails.size() - before;
  };
  for (const char* domain : {"d0-0.test", "d0-1.test", "d1-0.test"}) EXPECT_EQ(arrived(domain, 10s), 5U);
  relay::admin::MxOrder order;
  order.domain = "d0-0.test";
  const relay::admin::MxOrderDone done = world.order(order);
  EXPECT_EQ(done.paths, 1U);
  EXPECT_TRUE(done.also_later);
  EXPECT_EQ(arrived("d0-0.test", 10s), 0U);
  EXPECT_EQ(arrived("d0-1.test", 10s), 0U) << "it is the same path";
  world.names.move_mx("d0-0.test", "mx1.test");
  world.run_until(world.world.now() + 2min);
  EXPECT_EQ(arrived("d0-1.test", 10s), 5U);
  EXPECT_EQ(arrived("d0-0.test", 10s), 0U);
  EXPECT_EQ(arrived("d1-0.test", 10s), 0U);
  order.action = relay::admin::MxAction::kUnblock;
  EXPECT_TRUE(world.order(order).lifted);
  world.run_until(world.world.now() + 5min, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
}

TEST_F(Orders, AShortOneDoesNotEndALongOneAndItsEndWakesThePath) {
  give(kBlock, "", 1h);
  give(kBlock, "mx0.test", 2s);
  EXPECT_EQ(sent_to("d0-0.test"), 0U);
  give(kBlock, "", 10s);  // the same order anew: it ends sooner, and so does the path's sleep
  EXPECT_EQ(sent_to("d0-0.test"), 10U);
}

TEST_F(Orders, ADryRunOnlyCountsAndTheLogKnowsWhoGaveTheOrder) {
  EXPECT_EQ(sent_to("d0-0.test"), 5U);
  relay::admin::MxOrder order;
  order.all = true;
  order.dry_run = true;
  EXPECT_EQ(world.order(order).paths, 1U);
  EXPECT_TRUE(world.desk().orders().empty());
  EXPECT_EQ(sent_to("d0-0.test"), 5U);
  give(kBlock, "mx0.test");
  world.run_until(world.world.now() + 1s);
  const conf::DeliveryEvent& last = world.log.events.back();
  ASSERT_EQ(last.kind, conf::EventKind::kDecision);
  EXPECT_EQ(last.decision->by, "operator anna");
}

TEST_F(Orders, AnOrderThatNamesWhatIsNotThereIsRefusedWithTheNearName) {
  EXPECT_EQ(sent_to("d0-0.test"), 5U);
  relay::admin::MxOrder order;
  order.rule = world.history.rules[0].name + "x";
  EXPECT_EQ(world.order(order).problem, "no [[rule]] is named \"" + order.rule + "\"; did you mean \"" +
                                            world.history.rules[0].name + "\"?");
  order.rule.clear();
  order.source = "elsewhere";
  EXPECT_TRUE(world.order(order).problem.starts_with("no [[source]] is named \"elsewhere\""));
  order.action = kUnblock;
  EXPECT_TRUE(world.order(order).problem.starts_with("no [[source]] is named \"elsewhere\""));
  EXPECT_TRUE(world.desk().orders().empty());
  EXPECT_EQ(
      give(kBlock, "mx0.tst").notice,
      "No site is known by \"mx0.tst\" at present: the order waits for one; did you mean \"mx0.test\"?");
  EXPECT_EQ(give(kBlock, "mx0.test").notice, "");
  EXPECT_EQ(world.desk().orders().size(), 2U);
}

}  // namespace
}  // namespace sim
