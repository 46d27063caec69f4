#include "bounce/ledger/sqlite_report.h"

#include <gtest/gtest.h>

#include <string>

#include "bounce/reason.h"
#include "tests/bounce/ledger/ledger_rig.h"

namespace bounce {
namespace {

using namespace std::chrono_literals;
using ReportTest = LedgerRig;

TEST_F(ReportTest, ReportsAddUp) {
  const auto ledger = open();
  LedgerBatch batch;
  const int64_t hour = conf::unix_micros(kBegin) / 3'600'000'000;
  const auto put = [&](int64_t at, Outcome outcome, Reason reason, const std::string& site, uint64_t count) {
    batch.tallies.push_back(
        {{at, static_cast<uint8_t>(outcome), static_cast<uint8_t>(reason), 0, site, "s1", "shop.example"},
         count});
  };
  put(hour, Outcome::kDelivered, Reason::kNotDefined, "mx.a", 100);
  put(hour, Outcome::kFailed, Reason::kUserUnknown, "mx.a", 7);
  put(hour + 1, Outcome::kDeferred, Reason::kMailboxFull, "mx.b", 5);
  put(hour + 30, Outcome::kDelivered, Reason::kNotDefined, "mx.b", 40);
  batch.texts.push_back({hour, "550 5.1.1 * unknown", 7});
  ASSERT_TRUE(ledger->apply(batch, kSettings).ok());
  ASSERT_TRUE(ledger->apply(batch, kSettings).ok());
  ReportRange range;
  range.since = kBegin;
  range.until = kBegin + 2h;
  const auto by_site = make_report(ledger->database(), ReportBy::kSite, range, 10);
  ASSERT_TRUE(by_site.ok()) << by_site.error().detail;
  ASSERT_EQ(by_site.value().lines.size(), 2U);
  EXPECT_EQ(by_site.value().lines[0].name, "mx.a");
  EXPECT_EQ(by_site.value().lines[0].delivered, 200U);
  EXPECT_EQ(by_site.value().lines[0].failed, 14U);
  EXPECT_EQ(by_site.value().total.deferred, 10U);
  ASSERT_EQ(by_site.value().texts.size(), 1U);
  EXPECT_EQ(by_site.value().texts[0].count, 14U);
  range.until = kBegin + 48h;
  const auto by_day = make_report(ledger->database(), ReportBy::kDay, range, 10);
  ASSERT_EQ(by_day.value().lines.size(), 2U);
  EXPECT_EQ(by_day.value().lines[0].name, "2026-09-21");
  const auto by_reason = make_report(ledger->database(), ReportBy::kReason, range, 10);
  EXPECT_EQ(by_reason.value().lines[0].name, "user-unknown");
  EXPECT_EQ(make_report(ledger->database(), ReportBy::kHour, range, 10).value().lines.size(), 3U);
  range.site = "mx.b";
  EXPECT_EQ(make_report(ledger->database(), ReportBy::kType, range, 10).value().total.delivered, 80U);
}

TEST_F(ReportTest, AReportKeepsTheLatestHoursAndTheSumOfTheOthers) {
  const auto ledger = open();
  LedgerBatch batch;
  const int64_t hour = conf::unix_micros(kBegin) / 3'600'000'000;
  for (int64_t i = 0; i < 60; ++i)
    batch.tallies.push_back({{hour + i, static_cast<uint8_t>(Outcome::kDelivered), 0, 0, "mx1.a,mx2.a", "s1",
                              i == 59 ? "news.example" : "shop.example"},
                             static_cast<uint64_t>(i)});
  batch.texts.push_back({hour, "550 5.1.1 * unknown", 7});
  ASSERT_TRUE(ledger->apply(batch, kSettings).ok());
  ReportRange range;
  range.since = kBegin;
  range.until = kBegin + 100h;
  auto made = make_report(ledger->database(), ReportBy::kHour, range, 50);
  ASSERT_EQ(made->lines.size(), 50U);
  EXPECT_EQ(made->lines.back().delivered, 59U);
  EXPECT_EQ(made->others, 10U);
  EXPECT_EQ(made->other.delivered, 45U);
  EXPECT_EQ(made->texts.size(), 1U);
  // A host of a site selects it, in any case; the texts are of all sites, and are not said to be of this one.
  range.site = "MX2.a";
  range.sender_domain = "Shop.example";
  auto some = make_report(ledger->database(), ReportBy::kSource, range, 50);
  EXPECT_EQ(some->total.delivered, 59U * 58 / 2);
  EXPECT_TRUE(some->texts.empty());
  EXPECT_EQ(some->others, 0U);
}

}  // namespace
}  // namespace bounce
