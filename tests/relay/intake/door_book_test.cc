// Refusals are counted one by one and told in a bounded way.
#include "relay/intake/door_book.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace relay {
namespace {

using namespace std::chrono_literals;

class DoorBookTest : public testing::Test {
 protected:
  void refuse(const std::string& client, conf::DoorReason reason = conf::DoorReason::kWrongPassword,
              const std::string& user = "shop") {
    conf::DoorEvent event;
    event.reason = reason;
    event.client = client;
    event.listener = "in";
    event.user = user;
    book.note(std::move(event), now);
  }
  uint64_t told_of() const {
    uint64_t all = 0;
    for (const conf::DoorEvent& each : told) all += each.count;
    return all;
  }

  std::vector<conf::DoorEvent> told;
  DoorBook book{[this](const conf::DoorEvent& event) { told.push_back(event); }};
  conf::Instant now{1h};
};

TEST_F(DoorBookTest, TheOperatorHearsWhyNoMailIsTaken) {
  conf::DoorEvent event;
  event.detail = "the relay cannot take mail at present";
  event.reason = conf::DoorReason::kTlsFailed;
  EXPECT_EQ(with_cause(event, "disk space is low").detail, event.detail);
  event.reason = conf::DoorReason::kNotAccepting;
  EXPECT_EQ(with_cause(event, "disk space is low").detail, "disk space is low");
}

TEST_F(DoorBookTest, TheFirstAreToldOneByOneTheRestOnceAMinute) {
  for (int i = 0; i < 1000; ++i) refuse("192.0.2.1");
  EXPECT_EQ(told.size(), 10U);
  EXPECT_EQ(book.next_wake(), now + 1min);
  now += 1min;
  book.step(now);
  ASSERT_EQ(told.size(), 11U);
  EXPECT_EQ(told.back().count, 990U);
  EXPECT_EQ(told.back().client, "192.0.2.1");
  EXPECT_EQ(book.next_wake(), conf::kNever);
  ASSERT_EQ(book.counts().size(), 1U);
  EXPECT_EQ(book.counts()[0].count, 1000U);
}

TEST_F(DoorBookTest, ManyClientsMakeABoundedNumberOfLinesAndNoneIsUncounted) {
  for (int i = 0; i < 100'000; ++i)
    refuse("10." + std::to_string(i >> 16) + '.' + std::to_string(i >> 8 & 255) + '.' +
           std::to_string(i & 255));
  EXPECT_LE(told.size(), 50U);
  now += 1min;
  for (int i = 0; i < 100; ++i) book.step(now);
  EXPECT_LE(told.size(), 50U + 50U + 1U);
  now += 1min;
  book.step(now);
  EXPECT_EQ(told.back().client, "") << "the others are told together";
  EXPECT_EQ(told_of(), 100'000U);
  EXPECT_EQ(book.counts()[0].count, 100'000U);
}

TEST_F(DoorBookTest, LinesOfSingleClientsAreBoundedInADayAndTheRestIsToldOfMany) {
  uint64_t refused = 0;
  for (int minute = 0; minute < 6 * 60; ++minute) {
    for (int i = 0; i < 100; ++i, ++refused)
      refuse("10." + std::to_string(refused >> 16 & 255) + '.' + std::to_string(refused >> 8 & 255) + '.' +
             std::to_string(refused & 255));
    now += 1min;
    for (int i = 0; i < 2; ++i) book.step(now);
    now += 1s;
  }
  EXPECT_LE(told.size(), DoorBook::kPerDay + DoorBook::kPerDay / 4 + 6 * 60)
      << "what it begins with, what it gets, what is of many";
  EXPECT_GE(told.size(), DoorBook::kPerDay);
  book.tell_all();
  EXPECT_EQ(told_of(), refused);
  now += 24h;
  told.clear();
  refuse("192.0.2.1");
  EXPECT_EQ(told.size(), 1U) << "the budget grows again";
}

// An attack on one login from everywhere: nothing of single clients says which.
TEST_F(DoorBookTest, ALineThatStandsForManyNamesTheUserOfAllOrOfMost) {
  const auto many = [this](uint32_t of_shop_in_ten) {
    told.clear();
    for (uint32_t i = 0; i < 10'000; ++i)
      refuse("10.9." + std::to_string(i >> 8) + '.' + std::to_string(i & 255),
             conf::DoorReason::kWrongPassword, i % 10 < of_shop_in_ten ? "shop" : "name" + std::to_string(i));
    now += 3min;
    for (int i = 0; i < 200; ++i) book.step(now);
    now += 1min;
    book.step(now);
    return told.back();
  };
  const conf::DoorEvent all = many(10);
  EXPECT_EQ(all.client, "");
  EXPECT_EQ(all.user, "shop");
  EXPECT_EQ(all.of_user, 0U);
  const conf::DoorEvent most = many(8);
  EXPECT_EQ(most.user, "shop");
  EXPECT_GT(most.of_user, most.count / 2);
  EXPECT_LE(most.of_user, most.count * 8 / 10 + 10);
  EXPECT_NE(conf::door_line(most).find(" user=shop of_user="), std::string::npos);
  EXPECT_EQ(many(3).user, "");
}

TEST_F(DoorBookTest, TheRestOfAMinuteOfAClientDoesNotBlameTheLastName) {
  for (int i = 0; i < 100; ++i)
    refuse("192.0.2.1", conf::DoorReason::kWrongPassword, i % 4 == 3 ? "name" + std::to_string(i) : "shop");
  now += 1min;
  book.step(now);
  ASSERT_EQ(told.back().count, 90U);
  EXPECT_EQ(told.back().user, "shop");
  EXPECT_GT(told.back().of_user, 45U);
  EXPECT_LE(told.back().of_user, 70U);
  for (int i = 0; i < 100; ++i)
    refuse("192.0.2.2", conf::DoorReason::kWrongPassword, "name" + std::to_string(i));
  now += 1min;
  book.step(now);
  ASSERT_EQ(told.back().count, 90U);
  EXPECT_EQ(told.back().user, "") << "many";
}

TEST_F(DoorBookTest, ALineOfSeveralHasTheDetailOfAllOrOfMost) {
  conf::DoorEvent event;
  event.reason = conf::DoorReason::kRelayingDenied;
  event.listener = "in";
  const auto rest_of = [&](const std::string& client, uint32_t of_ann_in_ten) {
    event.client = client;
    for (uint32_t i = 0; i < 100; ++i) {
      event.detail = i % 10 < of_ann_in_ten ? "ann@x.test" : "u" + std::to_string(i) + "@x.test";
      book.note(event, now);
    }
    now += 1min;
    book.step(now);
    return told.back();
  };
  const conf::DoorEvent all = rest_of("192.0.2.1", 10);
  EXPECT_EQ(all.count, 90U);
  EXPECT_EQ(all.detail, "ann@x.test");
  EXPECT_EQ(all.of_detail, 0U);
  const conf::DoorEvent most = rest_of("192.0.2.2", 8);
  EXPECT_EQ(most.detail, "ann@x.test");
  EXPECT_GT(most.of_detail, 45U);
  EXPECT_LE(most.of_detail, 72U);
  EXPECT_NE(conf::door_line(most).find(" detail=ann@x.test of_detail="), std::string::npos);
  const conf::DoorEvent none = rest_of("192.0.2.3", 3);
  EXPECT_EQ(none.count, 90U);
  EXPECT_EQ(none.detail, "") << "of the latest it would be taken for that of all";
}

// A disk that is full is the same for each of them.
TEST_F(DoorBookTest, ALineOfManyClientsHasTheirDetailToo) {
  conf::DoorEvent event;
  event.reason = conf::DoorReason::kNotAccepting;
  event.listener = "in";
  event.detail = "disk";
  for (int i = 0; i < 10'000; ++i) {
    event.client = "10.9." + std::to_string(i >> 8) + '.' + std::to_string(i & 255);
    book.note(event, now);
  }
  for (int i = 0; i < 4; ++i, now += 1min)
    for (int each = 0; each < 200; ++each) book.step(now);
  EXPECT_EQ(told.back().client, "");
  EXPECT_EQ(told.back().detail, "disk");
  EXPECT_EQ(told.back().of_detail, 0U);
}

TEST_F(DoorBookTest, ReasonsAndListenersAreToldApart) {
  refuse("192.0.2.1");
  refuse("192.0.2.1", conf::DoorReason::kRelayingDenied);
  EXPECT_EQ(told.size(), 2U);
  EXPECT_EQ(book.counts().size(), 2U);
}

TEST_F(DoorBookTest, WhatAClientWroteCannotForgeALine) {
  refuse("192.0.2.1", conf::DoorReason::kWrongPassword, "a b\nrefused client=192.0.2.9\x1b[2J\"");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(conf::door_line(told[0]),
            "refused client=192.0.2.1 listener=in reason=wrong_password "
            "user=a_b?refused_client=192.0.2.9?[2J? count=1");
  refuse("192.0.2.1", conf::DoorReason::kWrongPassword, std::string(5000, 'x'));
  EXPECT_EQ(told.back().user.size(), 100U);
}

TEST_F(DoorBookTest, AtTheEndAllIsTold) {
  for (int i = 0; i < 25; ++i) refuse("2001:db8::" + std::to_string(i));
  book.tell_all();
  EXPECT_EQ(told_of(), 25U);
}

}  // namespace
}  // namespace relay
