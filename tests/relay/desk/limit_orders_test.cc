#include "relay/desk/limit_orders.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using Heard = std::optional<admin::MxOrderDone>;

class LimitOrdersTest : public WalkRig {
 protected:
  LimitOrdersTest() {
    start();
    limits_ = std::make_unique<LimitOrders>(transit_.get(), &spool_);
  }
  ~LimitOrdersTest() override { limits_.reset(); }
  static admin::MxOrder everything(admin::MxAction action) {
    admin::MxOrder order;
    order.action = action;
    order.all = true;
    return order;
  }
  static admin::MxOrder of_domain(admin::MxAction action, const std::string& domain) {
    admin::MxOrder order;
    order.action = action;
    order.domain = domain;
    return order;
  }
  void carry_out(const admin::MxOrder& order, Heard* heard) {
    limits_->carry_out(order, [heard](admin::MxOrderDone done) { *heard = std::move(done); });
  }
  conf::Instant held_until(const std::string& domain) {
    const queue::DomainEntry* entry = transit_->domains().find(domain);
    return limits_->held_until(*entry, transit_->config()->sources[0], "");
  }
  size_t steps_until(const Heard& heard) {
    size_t steps = 0;
    while (!heard && steps < 10000) limits_->step(clock_.time), ++steps;
    return steps;
  }
  std::string site(size_t number) { return "d" + std::to_string(number) + ".test"; }
  // Until nothing is left to do at this moment.
  void settle() {
    for (int i = 0; i < 1000 && limits_->next_wake() <= clock_.time; ++i) limits_->step(clock_.time);
    EXPECT_GT(limits_->next_wake(), clock_.time);
  }
  admin::MxOrder timed(admin::MxOrder order, conf::Duration time) {
    order.block_for = time;
    return order;
  }
  queue::DomainEntry& domain_of(const std::string& name) {
    queue::DomainTable& domains = transit_->domains();
    return domains.at(domains.intern(conf::Domain::from_canonical(name)));
  }
  // As a reload does, or the answer of a name server that fails.
  void forget_route(const std::string& name, bool fails) {
    queue::DomainEntry& domain = domain_of(name);
    domain.route = nullptr;
    domain.rules = {};
    if (!fails) return;
    auto none = std::make_shared<mx::Route>();
    none->kind = mx::Route::Kind::kDefer;
    domain.route = none;
  }
  // The decisions told since the last call, in order.
  std::vector<std::string> told() {
    std::vector<std::string> texts;
    for (const conf::DeliveryEvent& event : events_.of(conf::EventKind::kDecision))
      texts.push_back(event.decision->text);
    events_.all.clear();
    return texts;
  }
  void make_paths(size_t count) {
    for (size_t i = 0; i < count; ++i) path_to(site(i));
  }

  std::unique_ptr<LimitOrders> limits_;
};

TEST_F(LimitOrdersTest, OfFewPathsTheAnswerComesAtOnce) {
  make_paths(3);
  Heard heard;
  carry_out(everything(admin::MxAction::kBlock), &heard);
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->paths, 3U);
  EXPECT_TRUE(path_to(site(1))->holds.ordered(clock_.time));
}

TEST_F(LimitOrdersTest, AnOrderAboutManyPathsTakesManyStepsAndWhatComesMeanwhileIsReachedToo) {
  make_paths(3000);
  Heard blocked, lifted;
  carry_out(everything(admin::MxAction::kBlock), &blocked);
  EXPECT_FALSE(blocked.has_value());
  EXPECT_TRUE(path_to("fresh.test")->holds.ordered(clock_.time)) << "the order is in the book";
  EXPECT_GT(steps_until(blocked), 10U);
  ASSERT_TRUE(blocked.has_value());
  EXPECT_GE(blocked->paths, 3000U);
  for (size_t i = 0; i < 3000; i += 100) EXPECT_TRUE(path_to(site(i))->holds.ordered(clock_.time)) << i;

  carry_out(everything(admin::MxAction::kUnblock), &lifted);
  EXPECT_GT(steps_until(lifted), 10U);
  ASSERT_TRUE(lifted.has_value());
  EXPECT_TRUE(lifted->lifted);
  for (size_t i = 0; i < 3000; i += 100) EXPECT_FALSE(path_to(site(i))->holds.ordered(clock_.time)) << i;
}

TEST_F(LimitOrdersTest, OrdersTakeTurns) {
  make_paths(3000);
  Heard blocked, lifted;
  carry_out(everything(admin::MxAction::kBlock), &blocked);
  carry_out(everything(admin::MxAction::kUnblock), &lifted);
  steps_until(lifted);
  EXPECT_TRUE(blocked.has_value());
  for (size_t i = 0; i < 3000; i += 100) EXPECT_FALSE(path_to(site(i))->holds.ordered(clock_.time)) << i;
}

TEST_F(LimitOrdersTest, BlocksThatNoOrderMeansAnyMoreAreFreedInManySteps) {
  make_paths(3000);
  Heard blocked;
  carry_out(everything(admin::MxAction::kBlock), &blocked);
  steps_until(blocked);
  limits_ = nullptr;  // the next one knows of no order: only the paths do
  limits_ = std::make_unique<LimitOrders>(transit_.get(), nullptr);
  queue::Path* last = path_to(site(2999));
  transit_->sites().on_path(last);
  clock_.time += 2s;
  size_t steps = 0;
  while (limits_->next_wake() <= clock_.time && steps < 10000) limits_->step(clock_.time), ++steps;
  EXPECT_GT(steps, 10U);
  for (size_t i = 0; i < 3000; i += 100) EXPECT_FALSE(path_to(site(i))->holds.ordered(clock_.time)) << i;
}

// Each asks all of them what holds it still.
TEST_F(LimitOrdersTest, BesideVeryManyOrdersAStepReachesFewerPaths) {
  make_paths(2000);
  Heard heard;
  carry_out(everything(admin::MxAction::kBlock), &heard);
  steps_until(heard);
  for (size_t i = 0; i < 900; ++i) {
    heard.reset();
    carry_out(of_domain(admin::MxAction::kBlock, "x" + std::to_string(i) + ".test"), &heard);
    steps_until(heard);
  }
  settle();
  (void)told();
  carry_out(everything(admin::MxAction::kUnblock), &heard);
  EXPECT_LT(told().size(), 20U);
  run();  // the orders are in the spool
  limits_ = nullptr;
  limits_ = std::make_unique<LimitOrders>(transit_.get(), &spool_);
  transit_->sites().on_path(path_to(site(1999)));
  clock_.time += 2s;
  limits_->step(clock_.time);
  EXPECT_LT(told().size(), 20U);
  settle();
  EXPECT_FALSE(path_to(site(1))->holds.ordered(clock_.time));
}

TEST_F(LimitOrdersTest, AnOrderThatNamesADomainFollowsItAndFreesWhatItLeft) {
  queue::Path* before = path_to("moving.test");
  Heard heard;
  carry_out(of_domain(admin::MxAction::kBlock, "moving.test"), &heard);
  ASSERT_TRUE(before->holds.ordered(clock_.time));
  limits_->step(clock_.time);
  queue::Path* after = path_to("elsewhere.test");
  queue::DomainTable& domains = transit_->domains();
  queue::DomainEntry& domain = domains.at(domains.intern(conf::Domain::from_canonical("moving.test")));
  domain.route = domains.find("elsewhere.test")->route;
  domain.rules = {};
  ASSERT_EQ(transit_->choice().choose(&domain).path, after);
  for (int i = 0; i < 5; ++i) {
    clock_.time += 2s;
    limits_->step(clock_.time);
  }
  EXPECT_TRUE(after->holds.ordered(clock_.time));
  EXPECT_FALSE(before->holds.ordered(clock_.time));
}

TEST_F(LimitOrdersTest, WhereAWiderOrderHoldsNothingIsLifted) {
  make_paths(3);
  Heard heard;
  carry_out(everything(admin::MxAction::kBlock), &heard);
  admin::MxOrder narrow = of_domain(admin::MxAction::kUnblock, site(1));
  for (const bool dry_run : {true, false}) {
    narrow.dry_run = dry_run;
    carry_out(narrow, &heard);
    EXPECT_EQ(heard->paths, 0U);
    EXPECT_TRUE(heard->names.empty());
    EXPECT_EQ(heard->held, 1U);
    EXPECT_FALSE(heard->lifted);
    EXPECT_TRUE(path_to(site(1))->holds.ordered(clock_.time));
  }
  // Both mean the path: what is left of the two is held by the other.
  carry_out(of_domain(admin::MxAction::kBlock, site(1)), &heard);
  for (const bool dry_run : {true, false}) {
    narrow.dry_run = dry_run;
    carry_out(narrow, &heard);
    EXPECT_EQ(heard->paths, 0U);
    EXPECT_EQ(heard->held, 1U);
    EXPECT_TRUE(heard->lifted);
  }
  EXPECT_TRUE(path_to(site(1))->holds.ordered(clock_.time));
}

TEST_F(LimitOrdersTest, AnOrderThatEndsByItselfLeavesNothingBehind) {
  queue::Path* path = path_to(site(1));
  admin::MxOrder timed = of_domain(admin::MxAction::kBlock, site(1));
  timed.block_for = 1h;
  Heard heard;
  carry_out(timed, &heard);
  EXPECT_EQ(held_until(site(1)), clock_.time + 1h);
  EXPECT_EQ(transit_->dispatcher().next_message(path).not_before, clock_.time + 1h);
  clock_.time += 1h;
  EXPECT_TRUE(transit_->dispatcher().next_message(path).yes);
  EXPECT_EQ(path->counters.standing->state(), mx::Standing::State::kOpen)
      << "nobody refused: no probes, no ramp";
  EXPECT_LE(held_until(site(1)), clock_.time);
}

TEST_F(LimitOrdersTest, LiftingAnOrderWhoseDomainLeadsNowhereFreesWhatItHeld) {
  for (const bool fails : {false, true}) {
    queue::Path* path = path_to("a.test");
    Heard heard;
    carry_out(of_domain(admin::MxAction::kBlock, "a.test"), &heard);
    settle();
    forget_route("a.test", fails);
    clock_.time += 5s;
    settle();
    EXPECT_TRUE(path->holds.ordered(clock_.time)) << "the order is in force";
    carry_out(of_domain(admin::MxAction::kBlock, "never-seen.test"), &heard);
    carry_out(of_domain(admin::MxAction::kUnblock, "a.test"), &heard);
    EXPECT_TRUE(heard->lifted);
    settle();
    EXPECT_FALSE(path->holds.ordered(clock_.time)) << fails;
    carry_out(of_domain(admin::MxAction::kUnblock, "never-seen.test"), &heard);
  }
}

// What the order itself lifts is counted, and told as what it did, not as what nobody means any more.
TEST_F(LimitOrdersTest, AnOrderThatIsLiftedInManyStepsCountsAllThatItFreed) {
  make_paths(3000);
  Heard blocked, lifted;
  carry_out(everything(admin::MxAction::kBlock), &blocked);
  steps_until(blocked);
  settle();
  (void)told();
  carry_out(everything(admin::MxAction::kUnblock), &lifted);
  steps_until(lifted);
  EXPECT_EQ(lifted->paths, 3000U);
  const std::vector<std::string> texts = told();
  EXPECT_EQ(texts.size(), 3000U);
  EXPECT_EQ(std::ranges::count(texts, "the order is lifted"), 3000);
}

TEST_F(LimitOrdersTest, WhatALongOrderLeftIsHeldNoLongerThanTheOneThatStillMeansIt) {
  queue::Path* path = path_to("moving.test");
  path_to("elsewhere.test");
  Heard heard;
  carry_out(of_domain(admin::MxAction::kBlock, "moving.test"), &heard);
  carry_out(timed(everything(admin::MxAction::kBlock), 1h), &heard);
  settle();
  const conf::Instant end = clock_.time + 1h;
  EXPECT_EQ(path->holds.ordered_until(), conf::kNever);
  domain_of("moving.test").route = domain_of("elsewhere.test").route;
  domain_of("moving.test").rules = {};
  clock_.time += 2s;
  settle();
  EXPECT_EQ(path->holds.ordered_until(), end);
}

TEST_F(LimitOrdersTest, AnOrderThatIsMadeShorterWhileItsDomainLeadsNowhereEndsWhenItSays) {
  queue::Path* path = path_to("a.test");
  const mx::RoutePtr route = domain_of("a.test").route;
  Heard heard;
  carry_out(of_domain(admin::MxAction::kBlock, "a.test"), &heard);
  settle();
  forget_route("a.test", false);
  carry_out(timed(of_domain(admin::MxAction::kBlock, "a.test"), 1h), &heard);
  settle();
  EXPECT_EQ(path->holds.ordered_until(), clock_.time + 1h);
  domain_of("a.test").route = route;
  clock_.time += 2s;
  settle();
  EXPECT_EQ(path->holds.ordered_until(), clock_.time + 1h - 2s);
  clock_.time += 1h;
  settle();
  EXPECT_TRUE(transit_->dispatcher().next_message(path).yes);
}

TEST_F(LimitOrdersTest, AnOrderThatIsMadeLongerWhileItsDomainLeadsNowhereGoesOn) {
  queue::Path* path = path_to("a.test");
  Heard heard;
  carry_out(timed(of_domain(admin::MxAction::kBlock, "a.test"), 1h), &heard);
  settle();
  forget_route("a.test", false);
  carry_out(timed(of_domain(admin::MxAction::kBlock, "a.test"), 3h), &heard);
  settle();
  EXPECT_EQ(path->holds.ordered_until(), clock_.time + 3h);
}

TEST_F(LimitOrdersTest, AShorterWiderOrderLeavesOneWhoseDomainLeadsNowhereInForce) {
  queue::Path* path = path_to("a.test");
  Heard heard;
  carry_out(of_domain(admin::MxAction::kBlock, "a.test"), &heard);
  settle();
  forget_route("a.test", false);
  carry_out(timed(everything(admin::MxAction::kBlock), 1h), &heard);
  EXPECT_EQ(path->holds.ordered_until(), conf::kNever) << "the later end wins";
  settle();
  EXPECT_EQ(path->holds.ordered_until(), conf::kNever);
  carry_out(everything(admin::MxAction::kUnblock), &heard);
  EXPECT_EQ(heard->held, 1U);
  EXPECT_EQ(path->holds.ordered_until(), conf::kNever) << "it is not the one that was lifted";
}

// After a restart, or when its path was forgotten: the mail of another domain made the path, and a connection
// rests there.
TEST_F(LimitOrdersTest, AnOrderHoldsTheFirstMessageToAPathThatOthersMade) {
  names_.mx_of = {{"a.test", "mx.shared.test"}, {"b.test", "mx.shared.test"}};
  Heard heard;
  carry_out(of_domain(admin::MxAction::kBlock, "a.test"), &heard);
  settle();
  submit({"one@b.test"});
  EXPECT_EQ(server_.recipients.size(), 1U);
  submit({"one@a.test"});
  EXPECT_EQ(server_.recipients.size(), 1U);
  carry_out(of_domain(admin::MxAction::kUnblock, "a.test"), &heard);
  run();
  EXPECT_EQ(server_.recipients.size(), 2U);
}

TEST_F(LimitOrdersTest, APathThatIsMadeUnderAnOrderIsHeldAndNotTold) {
  path_to("a.test");
  Heard heard;
  carry_out(everything(admin::MxAction::kBlock), &heard);
  settle();
  EXPECT_EQ(told().size(), 1U) << "the order";
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(path_to("b.test")->holds.ordered(clock_.time));
    settle();
    for (int part = 0; part < 5000; ++part) transit_->sites().sweep(clock_.time);
  }
  EXPECT_TRUE(told().empty());
}

TEST_F(LimitOrdersTest, ThatAnOrderIsOverIsTold) {
  queue::Path* path = path_to("a.test");
  submit({"one@a.test"});
  Heard heard;
  carry_out(timed(of_domain(admin::MxAction::kBlock, "a.test"), 1h), &heard);
  submit({"two@a.test"});
  (void)told();
  pass(59min);
  EXPECT_TRUE(told().empty());
  pass(1min);
  EXPECT_EQ(told(), std::vector<std::string>{"the order is over"});
  EXPECT_EQ(server_.recipients.size(), 2U);
  EXPECT_FALSE(path->holds.ordered(clock_.time));
}

// Nobody asks for a path without mail.
TEST_F(LimitOrdersTest, ThatAnOrderIsOverIsToldWithoutMailToo) {
  path_to("a.test");
  std::vector<admin::MxOrder> orders(4);
  orders[0] = of_domain(admin::MxAction::kBlock, "a.test");
  orders[1] = everything(admin::MxAction::kBlock);
  orders[2].site = "mx.a.*";
  orders[3].source = "default";
  for (const admin::MxOrder& order : orders) {
    Heard heard;
    carry_out(timed(order, 1h), &heard);
    ASSERT_EQ(heard->paths, 1U);
    settle();
    (void)told();
    EXPECT_LE(limits_->next_wake(), clock_.time + 1h);
    clock_.time += 1h;
    settle();
    EXPECT_EQ(told(), std::vector<std::string>{"the order is over"});
  }
}

// Who orders two seconds has not ordered the ten minutes that the replies brought.
TEST_F(LimitOrdersTest, AnOrderIsToldWithItsOwnEndAndWhatHoldsLongerBesideIt) {
  path_to("a.test")->counters.standing->block_by_rule(clock_.time + 10min, "listed", clock_.time);
  (void)told();
  Heard heard;
  carry_out(timed(of_domain(admin::MxAction::kBlock, "a.test"), 2s), &heard);
  const std::vector<std::string> texts = told();
  ASSERT_FALSE(texts.empty());
  EXPECT_EQ(texts.back(),
            "blocked: nothing is sent for 2 s; the block that the replies brought holds for 10 min");
}

}  // namespace
}  // namespace relay
