#include "relay/journal/result_tallies.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <string>

#include "relay/spool/message_ids.h"
#include "tests/relay/manual_clock.h"

namespace relay::journal {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using conf::EventKind;

class ResultTalliesTest : public testing::Test {
 protected:
  conf::DeliveryEvent of(EventKind kind, const std::string& rule, const std::string& source) {
    conf::DeliveryEvent event;
    event.kind = kind;
    event.id = accepted_;
    event.mx_rule = rule;
    event.source = source;
    return event;
  }
  void take(const conf::DeliveryEvent& event) { tallies_.take(++number_, event); }
  static uint64_t all_of(const conf::HistogramCounts& counts) {
    return std::accumulate(counts.counts.begin(), counts.counts.end(), uint64_t{0});
  }
  static const conf::ResultCounts& named(const std::vector<conf::ResultCounts>& all,
                                         const std::string& name) {
    static const conf::ResultCounts kNone;
    for (const conf::ResultCounts& each : all)
      if (each.name == name) return each;
    ADD_FAILURE() << name << " is not counted";
    return kNone;
  }

  ManualClock clock_;
  ResultTallies tallies_{&clock_};
  const conf::MessageId accepted_ = spool::MessageIds().next(clock_.wall());
  uint64_t number_ = 0;
};

TEST_F(ResultTalliesTest, ResultsAreCountedByRuleAndBySource) {
  take(of(EventKind::kDelivered, "google", "tx"));
  take(of(EventKind::kDelivered, "google", "news"));
  take(of(EventKind::kDeferred, "google", "tx"));
  take(of(EventKind::kFailed, "outlook", "tx"));
  take(of(EventKind::kExpired, "outlook", "tx"));
  take(of(EventKind::kFailed, "", ""));  // no route
  conf::DeliveryEvent held = of(EventKind::kDeferred, "google", "tx");
  held.limit = conf::Bind::kBlocked;
  take(held);
  take(of(EventKind::kAccepted, "google", "tx"));
  conf::DeliveryEvent restored = of(EventKind::kDelivered, "google", "tx");
  restored.stage = conf::Stage::kRestored;
  take(restored);
  const auto rules = tallies_.by_rule();
  const auto sources = tallies_.by_source();
  EXPECT_EQ(rules.size(), 3U);
  EXPECT_EQ(named(rules, "google").delivered, 2U);
  EXPECT_EQ(named(rules, "google").deferred, 1U);
  EXPECT_EQ(named(rules, "google").held_back, 1U);
  EXPECT_EQ(named(rules, "outlook").failed, 1U);
  EXPECT_EQ(named(rules, "outlook").expired, 1U);
  EXPECT_EQ(named(rules, "none").failed, 1U);
  EXPECT_EQ(named(sources, "tx").delivered, 1U);
  EXPECT_EQ(named(sources, "tx").failed, 1U);
  EXPECT_EQ(named(sources, "news").delivered, 1U);
  EXPECT_EQ(tallies_.through(), number_);
  EXPECT_EQ(tallies_.feed_class(), FeedClass::kBestEffort);
}

TEST_F(ResultTalliesTest, TheTimeFromAcceptanceIsThatOfDeliveriesAlone) {
  clock_.time += 40s;
  take(of(EventKind::kDelivered, "google", "tx"));
  take(of(EventKind::kFailed, "google", "tx"));
  clock_.time += 10 * 24h;
  take(of(EventKind::kDelivered, "google", "tx"));
  const conf::HistogramCounts counts = named(tallies_.by_rule(), "google").delivery;
  ASSERT_EQ(counts.counts.size(), counts.bounds.size() + 1);
  EXPECT_EQ(all_of(counts), 2U);
  for (size_t i = 0; i < counts.bounds.size(); ++i)
    EXPECT_EQ(counts.counts[i], counts.bounds[i] == 60 ? 1U : 0U) << counts.bounds[i];
  EXPECT_EQ(counts.counts.back(), 1U) << "ten days are beyond all bounds";
  EXPECT_NEAR(counts.sum_seconds, 10 * 86400 + 80, 1);
}

TEST_F(ResultTalliesTest, TheTimeOfAnAttemptIsCountedWhereThereWasATransaction) {
  conf::DeliveryEvent event = of(EventKind::kDeferred, "google", "tx");
  take(event);  // no connection
  event.delays.transaction = 100ms;
  take(event);
  const conf::HistogramCounts counts = named(tallies_.by_rule(), "google").transaction;
  EXPECT_EQ(all_of(counts), 1U);
  EXPECT_EQ(counts.counts[2], 1U) << "a bound is within its bucket: le";
  EXPECT_EQ(counts.bounds[2], 0.1);
  EXPECT_NEAR(counts.sum_seconds, 0.1, 1e-6);
}

TEST_F(ResultTalliesTest, NamesBeyondTheMostAreCountedTogether) {
  for (int round = 0; round < 2; ++round)
    for (size_t i = 0; i < Tallies::kMost + 50; ++i)
      take(of(EventKind::kDelivered, "rule " + std::to_string(i), "tx"));
  const auto rules = tallies_.by_rule();
  ASSERT_EQ(rules.size(), Tallies::kMost + 1);
  EXPECT_EQ(named(rules, "rule 0").delivered, 2U);
  EXPECT_EQ(named(rules, "other").delivered, 100U);
}

TEST_F(ResultTalliesTest, ARuleThatIsCalledLikeTheRestIsCountedWithIt) {
  take(of(EventKind::kDelivered, "other", "tx"));
  take(of(EventKind::kDelivered, "none", "tx"));
  take(of(EventKind::kDelivered, "", "tx"));
  for (size_t i = 0; i < Tallies::kMost + 5; ++i)
    take(of(EventKind::kDelivered, "rule " + std::to_string(i), "tx"));
  const auto rules = tallies_.by_rule();
  EXPECT_EQ(rules.size(), Tallies::kMost) << "no name stands twice";
  EXPECT_EQ(named(rules, "none").delivered, 2U);
  EXPECT_EQ(named(rules, "other").delivered, 1U + 7U);
}

}  // namespace
}  // namespace relay::journal
