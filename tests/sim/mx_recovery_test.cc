// How a path and its mail go on after broken connections, an outage, a request to slow down.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/mx_example.h"

namespace sim {
namespace {

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

}  // namespace
}  // namespace sim
