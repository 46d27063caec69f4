// What operators are told of mail that waits, while it waits.
#include <gtest/gtest.h>

#include <memory>

#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using relay::admin::WaitingState;

DrawnRule rule_of_all() {
  DrawnRule rule;
  rule.name = "all";
  rule.mx = "mx?.test";
  rule.versions.emplace_back(conf::Instant{}, DrawnLimits());
  return rule;
}

relay::admin::Explanation explained(MxWorld* world, const std::string& domain) {
  relay::admin::Explanation answer;
  bool told = false;
  world->desk().explain(domain, "", [&](const relay::admin::Explanation& explanation) {
    answer = explanation;
    told = true;
  });
  world->run_until(world->world.now() + 5s, [&] { return told; });
  EXPECT_TRUE(told);
  return answer;
}

// Deferred mail stands on no path: it is told of nevertheless, after a restart too.
TEST(Waiting, DeferredMailIsCountedWithItsReasonAndItsTime) {
  MxWorld world(71);
  world.history.rules = {rule_of_all()};
  world.history.rule_of = {{0}};
  world.add_site(2, 1);
  ConfigDraw draw;
  draw.validity = world.validity = 24h;
  world.start(write_configuration(draw, world.history.rules));
  world.peer(0).rules.refuse_soft = 1;
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

}  // namespace
}  // namespace sim
