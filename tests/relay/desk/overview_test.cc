// The gauges, as the desk keeps them.
#include "relay/desk/overview.h"

#include <gtest/gtest.h>

#include "relay/desk/desk.h"
#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using OverviewTest = WalkRig;

TEST_F(OverviewTest, ABlockThatRunsOutLeavesTheGaugesThoughNothingElseHappens) {
  start();
  path_to("a.test")->counters.standing->block_by_rule(clock_.time + 5min, "test", clock_.time);
  const journal::Metrics metrics;
  Desk desk({.transit = transit_.get(), .journal = &journal_, .metrics = &metrics});
  while (desk.next_wake() <= clock_.time) desk.step(clock_.time);
  EXPECT_EQ(desk.last_known().limiter.blocked, 1U);
  EXPECT_EQ(desk.next_wake(), clock_.time + 5min);
  clock_.time += 5min;
  desk.step(clock_.time);
  EXPECT_EQ(desk.last_known().limiter.blocked, 0U);
  EXPECT_EQ(desk.next_wake(), conf::kNever);
}

}  // namespace
}  // namespace relay
