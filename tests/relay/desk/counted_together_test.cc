// Two sites that a rule counts together (one_site): what people are told of the one when the other used up
// what they share, was blocked, or got an order.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mx/rules/rule_book.h"
#include "relay/desk/census_taker.h"
#include "relay/desk/limit_orders.h"
#include "relay/desk/path_views.h"
#include "tests/relay/routes_and_rules.h"
#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

class CountedTogetherTest : public WalkRig {
 protected:
  CountedTogetherTest() {
    conf::MxRule rule = rule_for_test("provider");
    rule.fields.one_site = conf::RuleField<bool>::set(true);
    rule.fields.rate = conf::RuleField<conf::RuleRate>::set({1, 1h, 1});
    conf::RuleThreshold threshold;
    threshold.min_messages = 1;
    rule.fields.thresholds = conf::RuleField<std::vector<conf::RuleThreshold>>::set({threshold});
    const mx::BuiltRules rules = mx::build_rules({rule});
    for (const conf::Problem& problem : rules.problems) ADD_FAILURE() << problem.message;
    book_ = rules.book;
    journal_.add(&decisions_);
    start();
    limits_ = std::make_unique<LimitOrders>(transit_.get(), &spool_);
    one_ = path_to("one.test");
    two_ = path_to("two.test");
  }
  ~CountedTogetherTest() override {
    limits_.reset();
    journal_.remove(&decisions_);
  }
  admin::MxOrderDone order(admin::MxAction action, const std::string& domain, bool dry_run = false) {
    admin::MxOrder order;
    order.action = action;
    order.domain = domain;
    order.dry_run = dry_run;
    order.who = "anna";
    std::optional<admin::MxOrderDone> heard;
    limits_->carry_out(order, [&heard](admin::MxOrderDone done) { heard = std::move(done); });
    for (int i = 0; i < 1000 && !heard; ++i) limits_->step(clock_.time);
    EXPECT_TRUE(heard.has_value());
    return heard.value_or(admin::MxOrderDone());
  }
  admin::PathView explain(const std::string& domain) {
    admin::PathView view;
    PathViews(transit_.get(), {&decisions_, &flow_})
        .explain(domain, "", "", [&view](const admin::Explanation& told) {
          ASSERT_EQ(told.paths.size(), 1U);
          view = told.paths[0];
        });
    return view;
  }

  DecisionHistory decisions_;
  const FlowRates flow_{&clock_};
  std::unique_ptr<LimitOrders> limits_;
  queue::Path* one_ = nullptr;
  queue::Path* two_ = nullptr;
};

TEST_F(CountedTogetherTest, APathThatWasNeverAskedKnowsWhatTheOtherUsedUp) {
  ASSERT_EQ(one_->counters.standing, two_->counters.standing);
  EXPECT_EQ(explain("two.test").binds, mx::Bind::kNothing);
  transit_->sites().traffic(one_, {})->charge(clock_.time);
  two_->counters.traffic.clear();
  const admin::PathView told = explain("two.test");
  EXPECT_EQ(told.binds, mx::Bind::kRate);
  EXPECT_GT(told.frees_seconds, 3500);
  EXPECT_EQ(told.traffic.size(), 1U);
}

TEST_F(CountedTogetherTest, AllThatWaitForTheSharedRateSaySo) {
  for (int i = 0; i < 3; ++i) submit({"a@one.test", "b@two.test"}, "me@here.test");
  CensusTaker taker(transit_.get(), [](const queue::DomainEntry&, const conf::Source&, const std::string&) {
    return conf::Instant{};
  });
  std::shared_ptr<const admin::Census> census;
  taker.take("", [&census](std::shared_ptr<const admin::Census> taken) { census = std::move(taken); });
  for (int i = 0; i < 100 && census == nullptr; ++i) taker.step(clock_.time);
  ASSERT_NE(census, nullptr);
  uint64_t ready = 0, other = 0;
  for (const auto& [key, cell] : census->cells) {
    if (key.state != admin::WaitingState::kReady) continue;
    ready += cell.count;
    if (census->reasons[key.reason] != mx::to_text(mx::Bind::kRate)) other += cell.count;
  }
  EXPECT_EQ(ready, 5U);
  EXPECT_EQ(other, 0U);
}

TEST_F(CountedTogetherTest, AnOrderForOneHoldsThatOneAlone) {
  for (const bool dry_run : {true, false}) {
    const admin::MxOrderDone done = order(admin::MxAction::kBlock, "one.test", dry_run);
    EXPECT_EQ(done.paths, 1U);
    EXPECT_EQ(done.names, std::vector<std::string>{"mx.one.test from default"});
    EXPECT_EQ(done.together, 0U);
    EXPECT_EQ(one_->holds.ordered(clock_.time), !dry_run);
    EXPECT_FALSE(two_->holds.ordered(clock_.time));
  }
  EXPECT_EQ(explain("one.test").why, "blocked by an operator");
  EXPECT_EQ(explain("one.test").binds, mx::Bind::kBlocked);
  EXPECT_EQ(explain("two.test").binds, mx::Bind::kNothing);
  submit({"a@one.test", "b@two.test"}, "me@here.test");
  EXPECT_EQ(one_->ready.size(), 1U);
  EXPECT_TRUE(two_->ready.empty()) << "what is counted together goes on beside it";
}

TEST_F(CountedTogetherTest, LiftingAnOrderLeavesTheOneForTheOther) {
  order(admin::MxAction::kBlock, "one.test");
  order(admin::MxAction::kBlock, "two.test");
  submit({"b@two.test"}, "me@here.test");
  const admin::MxOrderDone done = order(admin::MxAction::kUnblock, "one.test");
  EXPECT_TRUE(done.lifted);
  EXPECT_EQ(done.paths, 1U);
  EXPECT_EQ(done.held, 0U);
  EXPECT_FALSE(one_->holds.ordered(clock_.time));
  EXPECT_TRUE(two_->holds.ordered(clock_.time));
  pass(1s);
  EXPECT_EQ(two_->ready.size(), 1U) << "not for a moment was it let go";
  EXPECT_EQ(order(admin::MxAction::kUnblock, "two.test").held, 0U);
  EXPECT_FALSE(two_->holds.ordered(clock_.time));
}

TEST_F(CountedTogetherTest, AnOrderIsOneThingAndABlockByRepliesAnother) {
  server_.to_rcpt = "550 5.7.1 your network is on our list of spammers";
  submit({"a@one.test"}, "me@here.test");
  const conf::Instant by_replies = one_->counters.standing->blocked_until();
  order(admin::MxAction::kBlock, "one.test");
  const admin::MxOrderDone done = order(admin::MxAction::kUnblock, "one.test");
  EXPECT_EQ(done.paths, 1U);
  EXPECT_EQ(one_->counters.standing->blocked_until(), by_replies)
      << "lifting the one does not lift the other";
  EXPECT_EQ(explain("one.test").binds, mx::Bind::kBlocked);
  EXPECT_EQ(explain("one.test").why, "");
}

TEST_F(CountedTogetherTest, ABlockIsToldWithItsSampleWhereverItIsAskedFor) {
  server_.to_rcpt = "550 5.7.1 your network is on our list of spammers";
  submit({"a@one.test"}, "me@here.test");
  ASSERT_EQ(one_->counters.standing->state(), mx::Standing::State::kBlocked);
  for (const char* domain : {"one.test", "two.test"}) {
    const admin::PathView told = explain(domain);
    ASSERT_EQ(told.thresholds.size(), 1U);
    EXPECT_TRUE(told.thresholds[0].tripped) << domain;
    EXPECT_TRUE(told.thresholds[0].since_block) << domain;
    EXPECT_EQ(told.thresholds[0].messages, 1U) << domain;
    EXPECT_EQ(told.thresholds[0].errors, 1U) << domain;
    ASSERT_EQ(told.decisions.size(), 1U) << domain;
    EXPECT_EQ(told.decisions[0].decision->site, "mx.one.test");
  }
  const admin::MxOrderDone done = order(admin::MxAction::kUnblock, "one.test");
  EXPECT_EQ(done.automatic, 1U);
  EXPECT_EQ(done.probing, 0U);
  clock_.time += 3h;
  ASSERT_EQ(explain("one.test").state, mx::Standing::State::kProbing);
  EXPECT_EQ(order(admin::MxAction::kUnblock, "one.test").automatic, 0U);
  EXPECT_EQ(order(admin::MxAction::kUnblock, "one.test").probing, 1U);
}

}  // namespace
}  // namespace relay
