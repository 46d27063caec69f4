#include "relay/admin/census.h"
#include "relay/admin/census_json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "relay/admin/admin_api.h"
#include "tests/relay/admin/fake_relay.h"

namespace relay::admin {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;  // NOLINT(build/namespaces)

conf::MessageId accepted(conf::WallTime at) {
  return static_cast<conf::MessageId>(conf::unix_micros(at) / 1000) << 20;
}

// A blocked path of "tx", a free one of "news", and mail to another domain that was greylisted.
Census counted() {
  Census census;
  census.made = conf::Instant{10h};
  census.made_wall = conf::WallTime(1'790'000'000s);
  census.domains = {{"hotmail.test", "mx.olc.test", "microsoft"}, {"grey.test", "mx.grey.test", "all"}};
  census.paths.push_back({"mx.olc.test", "tx", "microsoft"});
  census.paths.push_back({"mx.olc.test", "news", "microsoft"});
  census.reasons = {"", "the warm-up ladder", "blocked after refusals", "deferred: 450 Greylisted"};
  const auto cell = [&](uint64_t count, conf::Duration age, conf::Duration next) {
    return Census::Cell{count, accepted(census.made_wall - age), census.made + next};
  };
  census.cells[{0, 2, 1, WaitingState::kReady}] = cell(196, 1h, 2h);
  census.cells[{0, 1, 2, WaitingState::kReady}] = cell(431, 2h, 3h);
  census.cells[{0, 2, 0, WaitingState::kInFlight}] = cell(2, 1min, 0s);
  census.cells[{1, 0, 3, WaitingState::kScheduled}] = cell(6166, 20min, 57min);
  return census;
}

TEST(Census, TheReasonThatKeepsMostStandsFirst) {
  const std::vector<Waiting> sites = groups_of(counted(), WaitingBy::kSite, 10);
  ASSERT_EQ(sites.size(), 2U);
  EXPECT_EQ(sites[0].name, "mx.grey.test");
  EXPECT_EQ(sites[0].of(WaitingState::kScheduled), 6166U);
  EXPECT_EQ(sites[0].next_seconds, 57 * 60);
  ASSERT_EQ(sites[1].reasons.size(), 2U);
  EXPECT_EQ(sites[1].reasons[0].text, "blocked after refusals");
  EXPECT_EQ(sites[1].reasons[0].count, 431U);
  EXPECT_EQ(sites[1].reasons[0].next_seconds, 3 * 3600);
  EXPECT_EQ(sites[1].of(WaitingState::kReady), 627U);
  EXPECT_EQ(sites[1].of(WaitingState::kInFlight), 2U);
  EXPECT_EQ(sites[1].oldest_seconds, 7200);
  EXPECT_FALSE(sites[1].next_seconds.has_value());  // nothing is scheduled there
}

TEST(Census, MailIsGroupedByItsStream) {
  Census census = counted();
  census.streams = {"", "newsletter"};
  const Census::Cell of_stream{5, accepted(census.made_wall - 1min), census.made + 1h};
  census.cells[{0, 2, 1, WaitingState::kReady, 1}] = of_stream;
  census.cells[{1, 0, 3, WaitingState::kScheduled, 1}] = of_stream;
  const std::vector<Waiting> streams = groups_of(census, WaitingBy::kStream, 10);
  ASSERT_EQ(streams.size(), 2U);
  EXPECT_EQ(streams[0].name, "(none)");
  EXPECT_EQ(streams[0].total(), 196U + 431U + 2U + 6166U);
  EXPECT_EQ(streams[1].name, "newsletter");
  EXPECT_EQ(streams[1].total(), 10U);
  EXPECT_EQ(streams[1].reasons.size(), 2U);
  EXPECT_EQ(waiting_by("stream"), WaitingBy::kStream);
}

TEST(Census, EveryDeliveryIsInOneGroupHoweverItIsGrouped) {
  for (const WaitingBy by :
       {WaitingBy::kDomain, WaitingBy::kSite, WaitingBy::kSource, WaitingBy::kRule, WaitingBy::kStream}) {
    uint64_t sum = 0;
    for (const Waiting& group : groups_of(counted(), by, 10)) sum += group.total();
    EXPECT_EQ(sum, 6166U + 627U + 2U) << to_text(by);
  }
  EXPECT_EQ(all_of(counted()).total(), 6795U);
  const std::vector<Waiting> sources = groups_of(counted(), WaitingBy::kSource, 10);
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[0].name, "(drawn when it is due)");
  EXPECT_EQ(sources[1].name, "tx");
  EXPECT_EQ(groups_of(counted(), WaitingBy::kRule, 1).front().name, "all");
}

// A rule has mail to many sites, and each its own reasons.
TEST(Census, WhatIsNotShownOfTheReasonsIsCounted) {
  Census census = counted();
  census.cells.clear();
  for (uint32_t i = 1; i <= 30; ++i) {
    census.reasons.resize(i + 1);
    census.reasons[i] = "reason " + std::to_string(i);
    census.cells[{0, 1, i, WaitingState::kReady}] = {100 - i, accepted(census.made_wall - 1h), census.made};
  }
  for (const WaitingBy by : {WaitingBy::kDomain, WaitingBy::kSite, WaitingBy::kSource, WaitingBy::kRule}) {
    const Waiting group = groups_of(census, by, 10).front();
    const size_t shown = by == WaitingBy::kSource || by == WaitingBy::kRule ? 20 : 5;
    ASSERT_EQ(group.reasons.size(), shown) << to_text(by);
    EXPECT_EQ(group.other_reasons, 30 - shown);
    uint64_t sum = group.other_count;
    for (const WaitingReason& reason : group.reasons) sum += reason.count;
    EXPECT_EQ(sum, group.total()) << to_text(by);
    EXPECT_EQ(waiting_json(group).at("other_reasons").at("count"), group.other_count);
  }
}

TEST(Census, TheSummaryShowsItInGroups) {
  FakeSpool spool;
  FakeBackend backend(&spool);
  FakeLoop loop;
  *backend.counted = counted();
  AdminApi api(&spool, &backend, [&](std::function<void()> work) { loop.post(std::move(work)); });
  const Response told = api.handle({"GET", "/v1/queue/summary", {{"by", "domain"}, {"limit", "1"}}, ""});
  ASSERT_EQ(told.status, 200) << told.body;
  const json summary = json::parse(told.body);
  EXPECT_EQ(summary.at("waiting").at("scheduled"), 6166);
  ASSERT_EQ(summary.at("groups").size(), 1U);
  EXPECT_EQ(summary.at("groups")[0].at("name"), "grey.test");
  EXPECT_EQ(summary.at("groups")[0].at("reasons")[0].at("reason"), "deferred: 450 Greylisted");
  EXPECT_EQ(summary.at("more"), true);
  EXPECT_EQ(api.handle({"GET", "/v1/queue/summary", {{"by", "colour"}}, ""}).status, 400);
  const Response status = api.handle({"GET", "/v1/mx", {}, ""});
  ASSERT_EQ(status.status, 200) << status.body;
  EXPECT_EQ(json::parse(status.body).at("waiting")[0].at("scheduled"), 6166);
  loop.stop();
}

TEST(Census, AMessageNamesItsSourceSiteAndRule) {
  FakeSpool spool;
  FakeBackend backend(&spool);
  FakeLoop loop;
  spool::MessageRecord record;
  record.id = accepted(conf::WallTime(1'790'000'000s));
  spool::RecipientRecord recipient;
  recipient.recipient.mailbox = conf::Mailbox::parse("a@hotmail.test").value();
  record.recipients = {recipient};
  spool.records[record.id] = record;
  backend.stand[record.id] = {{"hotmail.test", WaitingState::kReady, "mx.olc.test", "microsoft", "tx",
                               "blocked after refusals", 3, 7940}};
  AdminApi api(&spool, &backend, [&](std::function<void()> work) { loop.post(std::move(work)); });
  const Response one = api.handle({"GET", "/v1/queue/messages/" + conf::to_text(record.id), {}, ""});
  ASSERT_EQ(one.status, 200) << one.body;
  const Response all = api.handle({"GET", "/v1/queue/messages", {}, ""});
  ASSERT_EQ(all.status, 200) << all.body;
  for (const json& delivery : {json::parse(one.body).at("recipients")[0].at("delivery"),
                               json::parse(all.body).at("messages")[0].at("delivery")}) {
    EXPECT_EQ(delivery.at("source"), "tx");
    EXPECT_EQ(delivery.at("site"), "mx.olc.test");
    EXPECT_EQ(delivery.at("rule"), "microsoft");
    EXPECT_EQ(delivery.at("state"), "ready");
    EXPECT_EQ(delivery.at("next_seconds"), 7940);
  }
  EXPECT_EQ(json::parse(one.body).at("recipients")[0].at("attempts"), 3) << "the spool only has steps";
  EXPECT_EQ(json::parse(all.body).at("messages")[0].at("next").at("attempts"), 3);
  loop.stop();
}

}  // namespace
}  // namespace relay::admin
