#include "relay/flow/login_pauses.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

TEST(LoginPauses, GrowToAnHourAndAreToldOfOnce) {
  LoginPauses pauses;
  conf::Instant now{1h};
  EXPECT_EQ(pauses.until("a"), conf::Instant{});
  EXPECT_TRUE(pauses.failed("a", now, "failed: no"));
  size_t tries = 1;
  for (conf::Duration expected = 1min; now < conf::Instant{25h}; ++tries) {
    EXPECT_EQ(pauses.until("a"), now + expected);
    now = pauses.until("a");
    pauses.tried("a", now);
    EXPECT_EQ(pauses.until("a"), now + 1min) << "the others wait for what becomes of it";
    now += 1s;
    EXPECT_FALSE(pauses.failed("a", now, "failed: no"));
    expected = std::min<conf::Duration>(expected * 2, 1h);
  }
  EXPECT_LT(tries, 35U) << "of a whole day";
  EXPECT_EQ(pauses.until("b"), conf::Instant{});
  EXPECT_TRUE(pauses.worked("a").had_failed);
  EXPECT_FALSE(pauses.worked("a").is_news);
}

TEST(LoginPauses, OneThatIsNotKnownToBeGoodIsTriedByOneAtATime) {
  LoginPauses pauses;
  const conf::Instant now{1h};
  pauses.tried("a", now);
  EXPECT_GT(pauses.until("a"), now);
  const LoginPauses::Success success = pauses.worked("a");
  EXPECT_TRUE(success.is_news);
  EXPECT_FALSE(success.had_failed);
  pauses.tried("a", now);
  EXPECT_LE(pauses.until("a"), now) << "and then by as many as the limits allow";
}

TEST(LoginPauses, AHostThatIsDownHoldsNobodyUp) {
  LoginPauses pauses;
  const conf::Instant now{1h};
  pauses.tried("a", now);
  pauses.undecided("a");
  EXPECT_LE(pauses.until("a"), now);
  EXPECT_TRUE(pauses.failed("a", now, "failed: no"));
  pauses.undecided("a");
  EXPECT_EQ(pauses.until("a"), now + 1min) << "a refusal holds";
}

TEST(LoginPauses, ThoseThatWereOnTheirWayAreOneFailure) {
  LoginPauses pauses;
  const conf::Instant now{1h};
  pauses.tried("a", now);
  pauses.worked("a");
  for (int i = 0; i < 20; ++i) pauses.tried("a", now);  // many at a time, for it is good
  EXPECT_TRUE(pauses.failed("a", now, "failed: no"));
  for (int i = 1; i < 20; ++i) EXPECT_FALSE(pauses.failed("a", now + i * 3s, "failed: no"));
  EXPECT_EQ(pauses.until("a"), now + 1min) << "a wave of failures counts once, whenever its last ones come";
  pauses.tried("a", now + 1min);
  EXPECT_FALSE(pauses.failed("a", now + 61s, "failed: no"));
  EXPECT_EQ(pauses.until("a"), now + 61s + 2min) << "and the next try is another one";
  EXPECT_FALSE(pauses.failed("a", now + 62s, "failed: no"));
  EXPECT_EQ(pauses.until("a"), now + 61s + 2min);
}

TEST(LoginPauses, SayWhyALoginWaits) {
  LoginPauses pauses;
  pauses.tried("a", conf::Instant{1h});
  EXPECT_EQ(pauses.why("a"), "login \"a\" is being tried by a connection");
  pauses.failed("a", conf::Instant{1h}, "failed at one.test: 535 no");
  EXPECT_EQ(pauses.why("a"), "login \"a\" failed at one.test: 535 no");
}

}  // namespace
}  // namespace relay
