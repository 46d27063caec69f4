#include "relay/journal/metrics.h"

#include <gtest/gtest.h>

namespace relay::journal {
namespace {

conf::DeliveryEvent of(conf::EventKind kind) {
  conf::DeliveryEvent event;
  event.kind = kind;
  return event;
}

TEST(Metrics, CountsRecipientsByWhatBecameOfThem) {
  Metrics metrics;
  conf::DeliveryEvent accepted = of(conf::EventKind::kAccepted);
  accepted.recipients = 3;
  metrics.take(1, accepted);
  metrics.take(2, of(conf::EventKind::kDelivered));
  metrics.take(3, of(conf::EventKind::kDeferred));
  metrics.take(4, of(conf::EventKind::kFailed));
  metrics.take(5, of(conf::EventKind::kExpired));
  metrics.take(6, of(conf::EventKind::kDropped));
  metrics.take(7, of(conf::EventKind::kReportSent));
  metrics.take(8, of(conf::EventKind::kUnsigned));
  metrics.take(9, of(conf::EventKind::kAlarm));
  const EventCounts counts = metrics.counts();
  EXPECT_EQ(counts.accepted, 3U);
  EXPECT_EQ(counts.delivered, 1U);
  EXPECT_EQ(counts.deferred, 1U);
  EXPECT_EQ(counts.failed, 1U);
  EXPECT_EQ(counts.expired, 1U);
  EXPECT_EQ(counts.dropped, 1U);
  EXPECT_EQ(counts.reports, 1U);
  EXPECT_EQ(counts.unsigned_mails, 1U);
  EXPECT_EQ(counts.alarms, 1U);
  EXPECT_EQ(metrics.through(), 9U);
}

TEST(Metrics, CountsForgedTokensAmongUnmatchedMail) {
  Metrics metrics;
  conf::DeliveryEvent event = of(conf::EventKind::kUnmatched);
  metrics.take(1, event);
  event.forged = true;
  metrics.take(2, event);
  EXPECT_EQ(metrics.counts().unmatched, 2U);
  EXPECT_EQ(metrics.counts().forged, 1U);
}

TEST(Metrics, CountsTextsThatNoRuleReadsBySite) {
  Metrics metrics;
  const auto refuse = [&metrics](uint64_t sequence, const std::string& site, conf::Reason reason) {
    conf::DeliveryEvent event = of(conf::EventKind::kDeferred);
    event.site = site;
    event.row = 7;
    event.reason = reason;
    metrics.take(sequence, event);
  };
  refuse(1, "mx.one.example", conf::Reason::kNotDefined);
  refuse(2, "mx.two.example", conf::Reason::kNotDefined);
  refuse(3, "mx.two.example", conf::Reason::kNotDefined);
  refuse(4, "mx.two.example", conf::Reason::kRefused);
  const EventCounts counts = metrics.counts();
  EXPECT_EQ(counts.unknown, 3U);
  ASSERT_EQ(counts.unknown_sites.size(), 2U);
  EXPECT_EQ(counts.unknown_sites[0], (std::pair<std::string, uint64_t>("mx.two.example", 2)));
}

TEST(Metrics, TheSitesOfUnknownTextsAreBounded) {
  Metrics metrics;
  for (int i = 0; i < 1000; ++i) {
    conf::DeliveryEvent event = of(conf::EventKind::kFailed);
    event.site = "mx" + std::to_string(i) + ".example";
    event.row = 1;
    event.reason = conf::Reason::kNotDefined;
    metrics.take(static_cast<uint64_t>(i) + 1, event);
  }
  EXPECT_EQ(metrics.counts().unknown, 1000U);
  EXPECT_EQ(metrics.counts().unknown_sites.size(), 20U);
  conf::DeliveryEvent last = of(conf::EventKind::kFailed);
  last.site = "mx999.example";
  last.row = 1;
  last.reason = conf::Reason::kNotDefined;
  for (uint64_t i = 0; i < 5; ++i) metrics.take(1001 + i, last);
  EXPECT_EQ(metrics.counts().unknown_sites.front().second, 1U) << "the last site was not kept";
}

TEST(Metrics, WhatABlockHoldsBackIsNoAttempt) {
  Metrics metrics;
  conf::DeliveryEvent held = of(conf::EventKind::kDeferred);
  held.limit = conf::Bind::kBlocked;
  metrics.take(1, held);
  EXPECT_EQ(metrics.counts().deferred, 0U);
  EXPECT_EQ(metrics.counts().held_back, 1U);
  held.limit = conf::Bind::kBackOff;
  metrics.take(2, held);
  EXPECT_EQ(metrics.counts().deferred, 1U) << "its connections failed: it was tried";
}

TEST(Metrics, CountsDecisionsByTheirAction) {
  Metrics metrics;
  conf::DeliveryEvent decision = of(conf::EventKind::kDecision);
  auto slow = std::make_shared<conf::SiteDecision>();
  slow->action = conf::DecisionAction::kSlow;
  decision.decision = slow;
  metrics.take(1, decision);
  const EventCounts counts = metrics.counts();
  EXPECT_EQ(counts.decisions[static_cast<size_t>(conf::DecisionAction::kSlow)], 1U);
  EXPECT_EQ(counts.decisions[static_cast<size_t>(conf::DecisionAction::kBlock)], 0U);
}

TEST(Metrics, BehindOrNotItHoldsNoMessageBack) { EXPECT_EQ(Metrics().feed_class(), FeedClass::kBestEffort); }

}  // namespace
}  // namespace relay::journal
