#include "relay/desk/flow_rates.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/relay/manual_clock.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using conf::EventKind;

class FlowRatesTest : public testing::Test {
 protected:
  void happens(EventKind kind, int count = 1, const std::string& site = "mx.test") {
    conf::DeliveryEvent event;
    event.kind = kind;
    event.site = site;
    event.source = "tx";
    event.mx_rule = "general";
    event.limit = limit_;
    for (int i = 0; i < count; ++i) rates_.take(++number_, event);
  }
  admin::FlowView seen() const { return rates_.last_minute({"mx.test", "tx", "general"}, clock_.time); }

  ManualClock clock_;
  FlowRates rates_{&clock_};
  conf::Bind limit_ = conf::Bind::kNothing;
  uint64_t number_ = 0;
};

TEST_F(FlowRatesTest, WhatHappenedInTheLastMinuteIsCountedByWhatItCameTo) {
  happens(EventKind::kDelivered, 12);
  happens(EventKind::kDeferred, 3);
  happens(EventKind::kExpired);
  clock_.time += 50s;
  happens(EventKind::kFailed, 2);
  happens(EventKind::kAccepted);
  happens(EventKind::kDecision);
  EXPECT_EQ(seen().delivered, 12U);
  EXPECT_EQ(seen().deferred, 4U);
  EXPECT_EQ(seen().refused, 2U);
  EXPECT_EQ(rates_.through(), number_);
  EXPECT_TRUE(rates_.last_minute({"mx.test", "news", "general"}, clock_.time).nothing()) << "another path";
  EXPECT_TRUE(rates_.last_minute({"mx.test", "tx", "two"}, clock_.time).nothing()) << "another rule";
  clock_.time += 30s;
  EXPECT_EQ(seen().delivered, 0U);
  EXPECT_EQ(seen().refused, 2U);
}

TEST_F(FlowRatesTest, CountsFromTheFirstSecondOfTheMachine) {
  clock_.time = conf::Instant(3s);
  happens(EventKind::kDelivered, 5);
  EXPECT_EQ(seen().delivered, 5U);
  EXPECT_EQ(seen().deferred, 0U);
  EXPECT_EQ(seen().refused, 0U);
}

TEST_F(FlowRatesTest, WhatWaitsForItsPathWasNotTried) {
  limit_ = conf::Bind::kBlocked;
  happens(EventKind::kDeferred);
  EXPECT_EQ(seen().deferred, 0U);
  limit_ = conf::Bind::kBackOff;
  happens(EventKind::kDeferred);
  EXPECT_EQ(seen().deferred, 0U);
  limit_ = conf::Bind::kNothing;
  happens(EventKind::kDeferred);
  EXPECT_EQ(seen().deferred, 1U);
}

TEST_F(FlowRatesTest, ASteadyFlowIsOneFigureAtEverySecond) {
  for (int second = 0; second < 300; ++second, clock_.time += 1s) {
    if (second > 70) {
      EXPECT_NEAR(static_cast<double>(seen().delivered), 600, 10) << second;
    }
    happens(EventKind::kDelivered, 10);
  }
}

TEST_F(FlowRatesTest, AfterAPauseOfAnyLengthNothingOldIsLeft) {
  for (const conf::Duration pause : {70s, 75s, 140s, 1000s}) {
    happens(EventKind::kDelivered, 5);
    clock_.time += pause;
    EXPECT_TRUE(seen().nothing());
    happens(EventKind::kDelivered);
    EXPECT_EQ(seen().delivered, 1U);
    clock_.time += 1h;
  }
}

TEST_F(FlowRatesTest, PathsWithoutTrafficAreForgotten) {
  for (int i = 0; i < 1000; ++i) happens(EventKind::kDelivered, 1, "mx" + std::to_string(i) + ".test");
  EXPECT_EQ(rates_.known(), 1000U);
  clock_.time += 80s;
  happens(EventKind::kDelivered, 500);
  EXPECT_EQ(rates_.known(), 1U);
  EXPECT_EQ(seen().delivered, 500U);
}

}  // namespace
}  // namespace relay
