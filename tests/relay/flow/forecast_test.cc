#include "relay/flow/forecast.h"

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class ForecastTest : public PathTest {
 protected:
  ForecastTest() {
    path_.counters.standing = std::make_shared<mx::Standing>(*path_.limits);
    path_.counters.traffic.emplace("", traffic_);
  }
  mx::Admission next() { return forecast_.next(path_, lease_, clock_.now()); }

  std::shared_ptr<mx::Traffic> traffic_ = std::make_shared<mx::Traffic>(*path_.limits);
  mx::Lease lease_;
  Forecast forecast_;
};

TEST_F(ForecastTest, AFailedConnectionIsSaidWhileNothingElseHoldsTheNextMessage) {
  EXPECT_TRUE(next().yes);
  path_.health.put_off_until(clock_.now() + 1s);
  EXPECT_EQ(next().bind, mx::Bind::kBackOff);
  EXPECT_EQ(next().not_before, clock_.now() + 1s);
}

// The third connection was refused, and a message over the second: whichever ends last is what mail waits
// for.
TEST_F(ForecastTest, OfAFailedConnectionAndAReceiverThatAskedForLessTheLongerIsSaid) {
  path_.health.put_off_until(clock_.now() + 1s);
  traffic_->throttled(clock_.now());
  ASSERT_GT(traffic_->slowed_until(), clock_.now() + 1s);
  EXPECT_EQ(next().bind, mx::Bind::kSlowed);
  EXPECT_EQ(next().not_before, traffic_->slowed_until());
  path_.health.put_off_until(clock_.now() + 1h);
  EXPECT_EQ(next().bind, mx::Bind::kBackOff);
}

// Nobody knows when a connection ends: the time that is known is said.
TEST_F(ForecastTest, AFailedConnectionIsSaidBeforeALimitWithoutATime) {
  path_.health.put_off_until(clock_.now() + 1s);
  for (int i = 0; i < 1000 && traffic_->may_connect(clock_.now()).yes; ++i)
    traffic_->connection_opened(clock_.now());
  ASSERT_FALSE(traffic_->may_connect(clock_.now()).yes);
  EXPECT_EQ(next().bind, mx::Bind::kBackOff);
}

}  // namespace
}  // namespace relay
