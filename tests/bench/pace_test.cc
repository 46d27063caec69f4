// What the counters of a path find out about receivers that turn new connections away, where that is the only
// way in which they say anything.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bench/pace/control.h"
#include "bench/pace/play.h"
#include "bench/pace/receiver.h"

namespace pace {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

Hidden at_the_greeting(uint32_t messages, conf::Duration window, conf::Duration latency) {
  Hidden hidden;
  hidden.messages = messages;
  hidden.window = window;
  hidden.stage = Stage::kConnect;
  hidden.latency = latency;
  return hidden;
}

void expect_found(const Hidden& hidden) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Seen seen = play(hidden, seed, make(Method::kPenstock).get());
    EXPECT_GE(seen.share, 0.9) << hidden.text() << ", seed " << seed;
    EXPECT_LT(seen.refused, 2) << hidden.text() << ", seed " << seed;
  }
}

// Messages are so far apart that each has a connection of its own, and the next one is taken a second after
// one was turned away: never three in a row.
TEST(Pace, ALimitThatTurnsConnectionsAwayIsFound) {
  expect_found(at_the_greeting(57, 10min, 102ms));
  expect_found(at_the_greeting(484, 1h, 27ms));
  expect_found(at_the_greeting(137, 826s, 125ms));
  expect_found(at_the_greeting(100, 18s, 22ms));
}

// One in fifty is turned away whatever is sent: that is no limit, nor does it hide one.
TEST(Pace, ConnectionsThatAreTurnedAwayByChanceSlowNothingDown) {
  Hidden hidden = at_the_greeting(484, 1h, 127ms);
  hidden.noise = 0.02;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Seen seen = play(hidden, seed, make(Method::kPenstock).get());
    EXPECT_GE(seen.share, 0.9) << "seed " << seed;
    EXPECT_LT(seen.refused, 4) << "seed " << seed;
  }
}

}  // namespace
}  // namespace pace
