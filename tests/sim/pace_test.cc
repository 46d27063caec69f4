// Receivers with limits that they tell nobody: the whole relay finds them and keeps to them.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

struct Hidden {
  uint32_t per_minute, connections;
  const char* text;
};

// What was taken of what could have been, and refusals for 100 messages taken; of the time after ten minutes.
struct Kept {
  double share = 0, refused = 0;
};

Kept keep_to(const Hidden& hidden, uint64_t seed) {
  MxWorld world(seed);
  DrawnRule rule;
  rule.name = "all";
  rule.mx = "mx?.test";
  rule.versions.emplace_back(conf::Instant{}, DrawnLimits{});
  world.history.rules = {rule};
  world.history.rule_of = {{0}};
  world.add_site(1, 1);
  Peer& peer = world.peer(0);
  peer.rules.hidden_per_minute = hidden.per_minute;
  peer.rules.hidden_connections = hidden.connections;
  peer.rules.mail_text = hidden.text;
  ConfigDraw draw;
  draw.validity = world.validity = 24h;
  world.start(write_configuration(draw, world.history.rules));
  const conf::Instant begin = world.world.now();
  for (uint32_t i = 0; i < 35 * hidden.per_minute; ++i) world.submit("", {"u0@d0-0.test"});
  world.run_until(begin + 10min);
  const uint64_t taken = peer.taken, refused = peer.turned_down;
  world.run_until(begin + 30min);
  Kept kept;
  const auto more = static_cast<double>(peer.taken - taken);
  kept.share = more / (20.0 * hidden.per_minute);
  kept.refused = 100 * static_cast<double>(peer.turned_down - refused) / more;
  std::printf("%5u a minute, %u connections, \"%s\": %5.1f %% of it, %.2f refused for 100 taken\n",
              hidden.per_minute, hidden.connections, hidden.text, 100 * kept.share, kept.refused);
  peer.rules.hidden_per_minute = peer.rules.hidden_connections = 0;
  world.run_until(begin + 12h, [&] { return world.settled(); });
  EXPECT_TRUE(world.settled());
  for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << violation;
  return kept;
}

TEST(HiddenLimit, IsFoundAndKeptTo) {
  for (const Hidden& hidden :
       {Hidden{20, 3, "421 4.7.0 too many messages, slow down"},
        Hidden{20, 3, "450 4.7.1 rate limit exceeded"}, Hidden{12, 1, "421 4.7.28 rate limited"},
        Hidden{60, 5, "451 4.7.500 Server busy. Please try again later"},
        // Of these only what happens tells that they are about a limit.
        Hidden{20, 3, "450 4.3.2 Please try again later"}, Hidden{60, 5, "450 Please try again later"},
        Hidden{30, 4, "421 4.3.2 The server is busy, try again in a few minutes"}}) {
    const Kept kept = keep_to(hidden, 1);
    EXPECT_GE(kept.share, 0.9) << hidden.per_minute << " " << hidden.text;
    EXPECT_LT(kept.refused, 2) << hidden.per_minute << " " << hidden.text;
  }
}

}  // namespace
}  // namespace sim
