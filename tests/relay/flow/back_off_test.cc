#include "relay/flow/back_off.h"

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class BackOffTest : public PathTest {
 protected:
  BackOffTest() {
    config_->path_backoff_first = 10s;
    config_->path_backoff_max = 1h;
    config_->ready_limit = 5min;
  }
  // A connection is opened now and comes to nothing. Gives how long the path is left alone.
  conf::Duration fail() {
    back_off_.failed(&path_, error("refused"), clock_.now(), clock_.now());
    return path_.health.backs_off_until() - clock_.now();
  }
  void open(int connections) {
    for (; connections > 0; --connections) path_.connections.begins(clock_.now());
  }
  static bool is_about(conf::Duration pause, conf::Duration planned) {  // a tenth may be added
    return pause >= planned && pause <= planned + planned / 10 + 1us;
  }

  BackOff back_off_{&flow_, &random_};
};

TEST_F(BackOffTest, DoublesWithEachFailureUpToAMinuteInTheFirstHour) {
  EXPECT_TRUE(is_about(fail(), 10s));
  EXPECT_TRUE(path_.health.failing());
  clock_.time = path_.health.backs_off_until();
  EXPECT_TRUE(is_about(fail(), 20s));
  for (int i = 0; i < 5; ++i) {
    clock_.time = path_.health.backs_off_until();
    EXPECT_LE(fail(), 1min);
  }
  clock_.time += 4h;
  EXPECT_GT(fail(), 1min) << "the longer it fails, the more seldom it is tried";
  EXPECT_LE(fail(), 4min + 5s);
}

TEST_F(BackOffTest, ConnectionsThatWereBegunBeforeAFailureArePartOfIt) {
  const conf::Instant before = clock_.now();
  clock_.time += 1s;
  fail();
  const conf::Duration once = path_.health.back_off();
  back_off_.failed(&path_, error("refused"), before, clock_.now());
  EXPECT_EQ(path_.health.back_off(), once);
  back_off_.failed(&path_, error("refused"), clock_.now(), clock_.now());
  EXPECT_EQ(path_.health.back_off(), 2 * once);
}

TEST_F(BackOffTest, AFailureWhileOtherConnectionsWorkOnlyPutsOffTheNextOpening) {
  open(2);
  path_.connections.gets_ready(clock_.now());
  EXPECT_EQ(fail(), 10s);
  EXPECT_FALSE(path_.health.failing());
  EXPECT_FALSE(path_.health.last_error().present());
}

TEST_F(BackOffTest, SuccessForgetsTheFailures) {
  fail();
  back_off_.worked(&path_);
  EXPECT_FALSE(path_.health.failing());
  EXPECT_FALSE(path_.health.last_error().present());
  clock_.time = path_.health.backs_off_until();
  EXPECT_TRUE(is_about(fail(), 10s));
}

TEST_F(BackOffTest, BreaksInARowDoubleTheirPauseUntilMailIsAnswered) {
  back_off_.broke(&path_, error("lost"), clock_.now(), clock_.now());
  EXPECT_TRUE(is_about(path_.health.backs_off_until() - clock_.now(), 250ms));
  EXPECT_FALSE(path_.health.failing()) << "it leads somewhere";
  const conf::Instant before = clock_.now() - 1s;
  back_off_.broke(&path_, error("lost"), before, clock_.now());
  EXPECT_EQ(path_.health.breaks(), 1U) << "of the same break";
  clock_.time = path_.health.backs_off_until();
  back_off_.broke(&path_, error("lost"), clock_.now(), clock_.now());
  EXPECT_TRUE(is_about(path_.health.backs_off_until() - clock_.now(), 500ms));
  open(1);
  EXPECT_TRUE(path_.one_probe_only());
  back_off_.answered(&path_);
  EXPECT_FALSE(path_.one_probe_only());
}

TEST_F(BackOffTest, APathStumblesOnlyWhileNoConnectionOfItIsReady) {
  open(1);
  settings_->timeouts.connect = 30s;
  EXPECT_TRUE(back_off_.stumbled(&path_, error("first host"), clock_.now()));
  EXPECT_TRUE(path_.health.stumbles());
  EXPECT_EQ(path_.first_expiry, clock_.now() + 5min + 30s) << "then its mail is told that it waits";
  back_off_.worked(&path_);
  open(1);
  path_.connections.gets_ready(clock_.now());
  EXPECT_FALSE(back_off_.stumbled(&path_, error("first host"), clock_.now()));
  EXPECT_FALSE(path_.health.stumbles());
}

TEST_F(BackOffTest, MailHasLessPatienceWithAPathThatFailsThanWithOneThatIsStillTried) {
  settings_->timeouts.connect = 30s;
  EXPECT_EQ(back_off_.patience(path_), 5min + 30s);
  fail();
  EXPECT_EQ(back_off_.patience(path_), 5min);
}

TEST_F(BackOffTest, APathWithoutAnAddressFailsForReasonsOfDns) {
  back_off_.no_address(&path_, clock_.now());
  EXPECT_TRUE(path_.health.failing());
  EXPECT_EQ(path_.health.last_error().stage, bounce::Stage::kDns);
  EXPECT_TRUE(path_.health.last_error().present());
}

}  // namespace
}  // namespace relay
