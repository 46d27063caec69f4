// A rule gets another name: what is shown, counted and ordered afterwards is that of the path that decides.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mx/rules/rule_book.h"
#include "relay/desk/busiest_paths.h"
#include "relay/desk/limit_orders.h"
#include "relay/desk/path_views.h"
#include "relay/desk/survey.h"
#include "tests/relay/routes_and_rules.h"
#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

class EditedRulesTest : public WalkRig {
 protected:
  EditedRulesTest() {
    book_ = book_with("isp");
    start();
    limits_ = std::make_unique<LimitOrders>(transit_.get(), &spool_);
    limits_->step(clock_.time);
  }
  ~EditedRulesTest() override { limits_.reset(); }

  // For all sites; `one_site`: counted together.
  mx::RuleBookPtr book_with(const std::string& name, bool one_site = false) {
    conf::MxRule rule = rule_for_test(name, mask_);
    rule.fields.one_site = conf::RuleField<bool>::set(one_site);
    const mx::BuiltRules rules = mx::build_rules({rule});
    for (const conf::Problem& problem : rules.problems) ADD_FAILURE() << problem.message;
    auto config = std::make_shared<conf::Config>(*config_);
    config->rules = {rule};
    config_ = config;
    return rules.book;
  }
  void reload(const std::string& name, bool one_site = false) {
    mx::RuleBookPtr book = book_with(name, one_site);
    transit_->reload(config_, book);
    book_ = std::move(book);
    run();
    for (int i = 0; i < 10; ++i) pass(1s);  // the rounds, and what is forgotten once a second
    limits_->step(clock_.time);
  }
  void block(queue::Path* path) {
    path->counters.standing->block_by_rule(clock_.time + 1h, "test", clock_.time);
  }
  std::vector<admin::PathView> status() {
    std::optional<std::vector<admin::PathView>> views;
    BusiestPaths(transit_.get(), {&decisions_, &flow_}).take(10, [&views](auto told) { views = told; });
    EXPECT_TRUE(views.has_value());
    return views.value_or(std::vector<admin::PathView>());
  }
  uint64_t blocked() {
    Survey survey(&transit_->sites(), &transit_->dispatcher());
    while (!survey.step(clock_.time)) {
    }
    return survey.latest().limiter.blocked;
  }
  admin::MxOrderDone order(admin::MxAction action, const std::string& rule) {
    admin::MxOrder order;
    order.action = action;
    order.rule = rule;
    order.all = rule.empty();
    order.automatic = true;
    order.who = "anna";
    std::optional<admin::MxOrderDone> heard;
    limits_->carry_out(order, [&heard](admin::MxOrderDone done) { heard = std::move(done); });
    for (int i = 0; i < 1000 && !heard; ++i) limits_->step(clock_.time);
    EXPECT_TRUE(heard.has_value());
    return heard.value_or(admin::MxOrderDone());
  }

  // Whether decisions said so since the last call.
  bool is_told(const std::string& what) {
    std::string told;
    for (const conf::DeliveryEvent& event : events_.of(conf::EventKind::kDecision))
      told += std::string(to_text(event.decision->action)) + " by " + event.decision->by + ": " +
              event.decision->text + '\n';
    events_.all.clear();
    return told.find(what) != std::string::npos;
  }

  std::string mask_ = "*";  // of the rule
  const DecisionHistory decisions_;
  FlowRates flow_{&clock_};
  std::unique_ptr<LimitOrders> limits_;
};

TEST_F(EditedRulesTest, APathOfARuleThatIsGoneIsNeitherShownNorCounted) {
  submit({"a@isp.test"});
  block(path_to("isp.test"));
  reload("fresh");
  queue::Path* now = path_to("isp.test");
  ASSERT_EQ(now->rule->name, "fresh");
  ASSERT_TRUE(now->blocked(clock_.time)) << "what decides now has taken the block over";
  EXPECT_EQ(blocked(), 1U);
  const std::vector<admin::PathView> views = status();
  ASSERT_EQ(views.size(), 1U);
  EXPECT_EQ(views[0].rule, "fresh");
  admin::MxOrder all;
  all.all = true;
  all.dry_run = true;
  std::optional<admin::MxOrderDone> heard;
  limits_->carry_out(all, [&heard](admin::MxOrderDone done) { heard = std::move(done); });
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->paths, 1U);
}

// Nothing is queued: no path is made, and the counters still have the name of the old rule.
TEST_F(EditedRulesTest, WhatIsHeldUnderARuleThatIsGoneIsReachedByTheOneThatTakesItOver) {
  block(path_to("isp.test"));
  reload("fresh");
  EXPECT_EQ(blocked(), 1U);
  const std::vector<admin::PathView> views = status();
  ASSERT_EQ(views.size(), 1U);
  EXPECT_EQ(views[0].rule, "fresh");
  EXPECT_EQ(order(admin::MxAction::kUnblock, "fresh").paths, 1U);
  EXPECT_EQ(blocked(), 0U);
  EXPECT_FALSE(path_to("isp.test")->blocked(clock_.time));
}

// The same of a rule that counts all its sites together.
TEST_F(EditedRulesTest, WhatIsHeldForAllSitesOfARuleIsShownAndReachedUnderItsNewName) {
  reload("isp", true);
  block(path_to("isp.test"));
  reload("fresh", true);
  const std::vector<admin::PathView> views = status();
  ASSERT_EQ(views.size(), 1U);
  EXPECT_TRUE(views[0].one_site);
  EXPECT_EQ(views[0].rule, "fresh");
  EXPECT_EQ(order(admin::MxAction::kUnblock, "isp").paths, 0U);
  EXPECT_EQ(order(admin::MxAction::kUnblock, "fresh").paths, 1U);
  EXPECT_EQ(blocked(), 0U);
  EXPECT_FALSE(path_to("isp.test")->blocked(clock_.time));
}

// Its last connection brings refusals after the edit.
TEST_F(EditedRulesTest, WhatAnOrderDidToAPathOfARuleThatIsGoneIsSaid) {
  queue::Path* old = path_to("isp.test");
  old->connections.begins(clock_.time);
  reload("fresh");
  ASSERT_TRUE(old->superseded);
  block(old);
  const admin::MxOrderDone done = order(admin::MxAction::kUnblock, "");
  EXPECT_EQ(done.paths, 0U);
  EXPECT_EQ(done.superseded, 1U);
  EXPECT_FALSE(old->blocked(clock_.time));
}

TEST_F(EditedRulesTest, AnOrderWhoseRuleIsGoneIsToldAndListedSo) {
  path_to("isp.test");
  order(admin::MxAction::kBlock, "isp");
  ASSERT_EQ(limits_->in_force().size(), 1U);
  EXPECT_EQ(limits_->in_force()[0].problem, "");
  events_.all.clear();
  mask_ = "*.other.test";
  reload("fresh");
  ASSERT_EQ(limits_->in_force().size(), 1U);
  EXPECT_EQ(limits_->in_force()[0].problem, "no [[rule]] is named \"isp\"");
  EXPECT_TRUE(
      is_told("void by operator anna: the order to block rule isp holds nothing that comes now: no [[rule]] "
              "is named \"isp\""));
  reload("fresh", true);
  EXPECT_FALSE(is_told("the order to block")) << "told once";
}

// Never fewer seconds blocked by an edit: the order goes with what its rule matches.
TEST_F(EditedRulesTest, AnOrderOnARuleHoldsUnderItsNewName) {
  queue::Path* before = path_to("isp.test");
  order(admin::MxAction::kBlock, "isp");
  ASSERT_TRUE(before->holds.ordered(clock_.time));
  events_.all.clear();
  reload("fresh", true);  // another edit comes with it
  EXPECT_TRUE(path_to("isp.test")->holds.ordered(clock_.time));
  EXPECT_TRUE(path_to("isp2.test")->holds.ordered(clock_.time)) << "yet to come";
  EXPECT_TRUE(is_told("block by operator anna: the order to block rule isp is about rule fresh now"));
  ASSERT_EQ(limits_->in_force().size(), 1U);
  EXPECT_EQ(limits_->in_force()[0].order.rule, "fresh");
  order(admin::MxAction::kUnblock, "fresh");
  EXPECT_FALSE(path_to("isp.test")->holds.ordered(clock_.time));
}

TEST_F(EditedRulesTest, AnOrderOnARuleHoldsUnderItsNewNameAfterARestart) {
  order(admin::MxAction::kBlock, "isp");
  run();  // it is on the disk
  limits_.reset();
  transit_->reload(config_, book_with("fresh"));
  limits_ = std::make_unique<LimitOrders>(transit_.get(), &spool_);
  EXPECT_TRUE(path_to("isp.test")->holds.ordered(clock_.time)) << "before the first step";
  ASSERT_EQ(limits_->in_force().size(), 1U);
  EXPECT_EQ(limits_->in_force()[0].order.rule, "fresh");
}

// Of two orders that mean the same by now the later end holds.
TEST_F(EditedRulesTest, OrdersThatMeetUnderOneNameHoldUntilTheLaterEnd) {
  OrderBook book(nullptr, &transit_->clock());
  admin::MxOrder old, other;
  old.rule = "isp";
  other.rule = "fresh";
  book.add(old, clock_.time + 2h);
  book.add(other, clock_.time + 1h);
  book.rename_rule("isp", "fresh");
  ASSERT_EQ(book.all(clock_.time).size(), 1U);
  EXPECT_EQ(book.all(clock_.time)[0].until, clock_.time + 2h);
}

// While the counters of a provider are added up, mail waits for that alone, for a moment: that is no answer.
TEST_F(EditedRulesTest, AnExplanationWaitsUntilTheCountersAreAddedUp) {
  reload("isp", true);
  PathViews views(transit_.get(), {&decisions_, &flow_});
  std::optional<admin::Explanation> told;
  const auto explain = [&] {
    views.explain("isp.test", "", "", [&told](admin::Explanation answer) { told = std::move(answer); });
  };
  (void)path_to("isp.test");
  ASSERT_TRUE(transit_->sites().is_gathering());
  explain();
  EXPECT_FALSE(told.has_value());
  pass(1s);
  ASSERT_FALSE(transit_->sites().is_gathering());
  views.step(clock_.time);
  ASSERT_TRUE(told.has_value());
  ASSERT_EQ(told->paths.size(), 1U);
  EXPECT_EQ(told->paths[0].binds, mx::Bind::kNothing);
  EXPECT_EQ(views.next_wake(), conf::kNever);
}

}  // namespace
}  // namespace relay
