// Routes through the whole relay: mail that waits for a path does not stay behind when DNS says something
// else.
#include <gtest/gtest.h>

#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class Routes : public testing::Test {
 protected:
  Routes() : world(7) {
    world.add_site(1, 1);  // mx0.test
    ConfigDraw draw;
    draw.validity = world.validity = 12h;
    world.names.add_address("dead.test", "192.0.2.99");  // nobody listens there
    configuration_ = write_configuration(draw, {});
  }
  void start() { world.start(configuration_); }
  // Runs so long; how many messages the host took by then.
  uint64_t taken_after(conf::Duration time) {
    world.run_until(world.world.now() + time, [] { return false; });
    return world.peer(0).taken;
  }

  MxWorld world;

 private:
  std::string configuration_;
};

// The MX records live for five minutes; the addresses that could not be found out must not be missed so long.
TEST_F(Routes, MailThatWaitsForADeadBackupFindsTheBestHostWhenItsNameIsWellAgain) {
  world.names.add_mx("d.test", 5, "mx0.test");
  world.names.add_mx("d.test", 10, "dead.test");
  world.names.sick.insert("mx0.test");
  start();
  world.submit("", {"u0@d.test"});
  EXPECT_EQ(taken_after(40s), 0U);
  world.names.sick.clear();
  EXPECT_EQ(taken_after(70s), 1U);
}

TEST_F(Routes, MailThatWaitsForHostsThatAreGoneFollowsTheDomainToItsNewOnes) {
  world.names.add_mx("d.test", 5, "dead.test");
  start();
  world.submit("", {"u0@d.test"});
  EXPECT_EQ(taken_after(2min), 0U);
  world.names.forget_mx("d.test");
  world.names.add_mx("d.test", 5, "mx0.test");
  EXPECT_EQ(taken_after(20min), 1U) << "when the old records are over, not when the validity is";
}

}  // namespace
}  // namespace sim
