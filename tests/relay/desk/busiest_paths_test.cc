#include "relay/desk/busiest_paths.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using Views = std::vector<admin::PathView>;

class BusiestPathsTest : public WalkRig {
 protected:
  BusiestPathsTest() {
    start();
    paths_ = std::make_unique<BusiestPaths>(transit_.get(), PathHistory{&decisions_, &flow_});
  }
  void block(queue::Path* path) {
    path->counters.standing->block_by_rule(clock_.time + 1h, "test", clock_.time);
  }
  void ask(size_t limit, std::optional<Views>* answer) {
    paths_->take(limit, [answer](Views views) { *answer = std::move(views); });
  }

  const DecisionHistory decisions_;
  FlowRates flow_{&clock_};
  std::unique_ptr<BusiestPaths> paths_;
};

TEST_F(BusiestPathsTest, OfFewPathsTheAnswerComesAtOnceTheBlockedOnesFirst) {
  refuse_for_now();
  path_to("quiet.test");
  block(path_to("blocked.test"));
  path_to("failing.test")->health.put_off_until(clock_.time + 1min);
  std::optional<Views> all, one;
  ask(10, &all);
  ask(1, &one);
  ASSERT_TRUE(all.has_value());
  ASSERT_EQ(all->size(), 2U) << "of a path that nothing holds back there is nothing to show";
  EXPECT_EQ((*all)[0].site, "mx.blocked.test");
  EXPECT_EQ((*all)[1].site, "mx.failing.test");
  ASSERT_TRUE(one.has_value());
  ASSERT_EQ(one->size(), 1U);
  EXPECT_EQ((*one)[0].site, "mx.blocked.test");
}

TEST_F(BusiestPathsTest, APathOverWhichMailWentLatelyIsShownWithItAndWhatItsLimitsAllow) {
  queue::Path* path = path_to("quick.test");
  auto limits = std::make_shared<mx::PathLimits>(*path->limits);
  limits->rate = {4, 1s, 1};
  limits->messages_per_hour = 6000;
  path->limits = limits;
  conf::DeliveryEvent event;
  event.kind = conf::EventKind::kDelivered;
  event.site = "mx.quick.test";
  event.source = "default";
  flow_.take(1, event);
  flow_.take(2, event);
  std::optional<Views> now, later;
  ask(10, &now);
  ASSERT_EQ(now->size(), 1U);
  EXPECT_EQ((*now)[0].last_minute.delivered, 2U);
  EXPECT_EQ((*now)[0].allowed.by, mx::Bind::kQuota);
  EXPECT_EQ((*now)[0].allowed.per_minute, 100);
  limits->messages_per_hour = 0;
  std::optional<Views> by_rate;
  ask(10, &by_rate);
  EXPECT_EQ((*by_rate)[0].allowed.by, mx::Bind::kRate);
  EXPECT_EQ((*by_rate)[0].allowed.per_minute, 240);
  clock_.time += 2min;
  ask(10, &later);
  EXPECT_TRUE(later->empty());
}

TEST_F(BusiestPathsTest, ARoundOverManyPathsTakesManyStepsAndTheirSitesStayMeanwhile) {
  constexpr size_t kPaths = 5000;
  std::vector<queue::Path*> all;
  for (size_t i = 0; i < kPaths; ++i) all.push_back(path_to("d" + std::to_string(i) + ".test"));
  for (queue::Path* path : all) block(path);
  std::optional<Views> answer;
  ask(300, &answer);
  EXPECT_FALSE(answer.has_value()) << "a step is bounded";
  for (queue::Path* path : all) path->counters.standing->unblock(clock_.time);
  for (int i = 0; i < 5000; ++i) transit_->sites().sweep(clock_.time);  // forgets what nothing holds
  size_t steps = 0;
  for (; !answer.has_value() && steps < 1000; ++steps) paths_->step(clock_.time);
  EXPECT_GT(steps, 1U);
  ASSERT_TRUE(answer.has_value());
  EXPECT_GT(answer->size(), 0U);
  EXPECT_LE(answer->size(), 300U);
  for (const admin::PathView& view : *answer) EXPECT_EQ(view.site.substr(0, 4), "mx.d");
  transit_->sites().for_each([](queue::Path* path) { EXPECT_FALSE(path->rounds.shown); });
}

TEST_F(BusiestPathsTest, WhatIsBlockedWithoutAPathIsShownAfterTheOthers) {
  queue::Path* path = path_to("gone.test");
  block(path);
  for (int i = 0; i < 5000; ++i) transit_->sites().sweep(clock_.time);
  std::optional<Views> answer;
  ask(10, &answer);
  ASSERT_TRUE(answer.has_value());
  ASSERT_EQ(answer->size(), 1U);
  EXPECT_EQ((*answer)[0].state, mx::Standing::State::kBlocked);
}

}  // namespace
}  // namespace relay
