#include "mx/limits/unsaid_limit.h"

#include <gtest/gtest.h>

#include "conf/vocab/random.h"

namespace mx {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class UnsaidLimitTest : public testing::Test {
 protected:
  void take(int messages) {
    for (; messages > 0; --messages) limit_.taken(now_ += 1s);
  }
  // How many of them are said to come of a limit.
  int defer(int times) {
    int limits = 0;
    for (; times > 0; --times) limits += limit_.deferred(now_ += 1s) ? 1 : 0;
    return limits;
  }

  conf::Instant now_ = conf::Instant{} + 1h;
  UnsaidLimit limit_;
};

TEST_F(UnsaidLimitTest, RowsThatBeginAgainAndAgainAreALimit) {
  take(20);
  EXPECT_EQ(defer(8), 0) << "a host may be sick";
  take(20);
  EXPECT_EQ(defer(8), 0) << "or sick again";
  take(20);
  EXPECT_EQ(defer(2), 0);
  EXPECT_EQ(defer(3), 3);
  take(20);
  EXPECT_EQ(defer(1), 1) << "it is known by now";
  now_ += 61min;
  EXPECT_EQ(defer(1), 0) << "for an hour";
}

TEST_F(UnsaidLimitTest, AHostThatIsSickOnceOrSeldomIsNone) {
  for (int i = 0; i < 5; ++i) {
    take(300);
    now_ += 6min;
    EXPECT_EQ(defer(30), 0) << "eleven minutes later";
    take(3);
    EXPECT_EQ(defer(30), 0) << "next to nothing was taken";
  }
}

TEST_F(UnsaidLimitTest, DeferralsAtRandomAreNone) {
  for (const double share : {0.02, 0.1, 0.3}) {
    conf::Random random(1);
    limit_ = {};
    int limits = 0;
    for (int i = 0; i < 20'000; ++i) {
      if (random.chance(share)) {
        limits += defer(1);
      } else {
        take(1);
      }
    }
    EXPECT_EQ(limits, 0) << share;
  }
}

TEST_F(UnsaidLimitTest, TransactionsThatWereUnderWayWhenARowBeganHideNone) {
  for (int i = 0; i < 4; ++i) {
    take(18);
    defer(1);
    take(1);
    defer(2);
    take(1);
    EXPECT_EQ(defer(4), i < 2 ? 0 : i == 2 ? 2 : 4);
  }
}

}  // namespace
}  // namespace mx
