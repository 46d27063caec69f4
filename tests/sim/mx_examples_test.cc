// Histories written by hand, through the whole relay: the example that the threshold was ordered with, and
// what is no evidence against a site.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/mx_example.h"

namespace sim {
namespace {

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
