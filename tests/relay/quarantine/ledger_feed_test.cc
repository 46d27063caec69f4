// A message stays in the spool until the ledger's file has what its recipients came to.
#include "relay/quarantine/ledger_feed.h"

#include <gtest/gtest.h>

#include "relay/journal/journal.h"
#include "tests/relay/quarantine/book_of_notes.h"

namespace relay {
namespace {

using namespace std::chrono_literals;

class LedgerFeedTest : public testing::Test {
 protected:
  LedgerFeedTest()
      : feed_(
            &book_, [this] { return progress_; }, [this](const std::string& line) { said_ += line; }) {
    journal_.add(&feed_);
  }
  uint64_t tell(conf::EventKind kind) {
    conf::DeliveryEvent event;
    event.kind = kind;
    event.reverse_path = "news@shop.example";
    return journal_.append(event);
  }

  BookOfNotes book_;
  LedgerFeed::Progress progress_;
  std::string said_;
  LedgerFeed feed_;
  journal::Journal journal_;
  conf::Instant now_ = conf::Instant(1h);
};

TEST_F(LedgerFeedTest, TheCursorWaitsForTheFileAndOnlyForThat) {
  tell(conf::EventKind::kDelivered);
  EXPECT_EQ(journal_.through(), 1U) << "nothing waits for the file";
  progress_.given = 1;
  tell(conf::EventKind::kFailed);
  tell(conf::EventKind::kDelivered);
  progress_.given = 2;
  tell(conf::EventKind::kFailed);
  feed_.step(now_);
  EXPECT_EQ(journal_.through(), 1U);
  progress_.done = 1;
  feed_.step(now_);
  EXPECT_EQ(journal_.through(), 3U) << "the fourth event came after a signal that is not written";
  progress_.done = 2;
  feed_.step(now_);
  EXPECT_EQ(journal_.through(), 4U);
  EXPECT_EQ(said_, "");
}

TEST_F(LedgerFeedTest, ALedgerThatCannotBeWrittenHoldsNobodyUpForEver) {
  feed_.step(now_);
  progress_.given = 1;
  tell(conf::EventKind::kFailed);
  feed_.step(now_ + 9min);
  EXPECT_EQ(journal_.through(), 0U);
  feed_.step(now_ + 11min);
  EXPECT_EQ(journal_.through(), 1U);
  EXPECT_NE(said_.find("could not be written for ten minutes"), std::string::npos);
}

TEST_F(LedgerFeedTest, WhatComesBackCountsOnlyWhenWeKnowItsMessage) {
  conf::DeliveryEvent event;
  event.id = 7;
  event.recipient = "ann@x.example";
  event.auth = "tenant";
  event.reply = "5.1.1 no such user";
  event.reply_code = 550;
  event.type = conf::ErrorType::kHard;
  event.scope = conf::Scope::kRecipient;
  event.kind = conf::EventKind::kBounced;
  journal_.append(event);
  event.kind = conf::EventKind::kComplained;
  journal_.append(event);
  EXPECT_TRUE(book_.notes.empty()) << "anybody can write a bounce";
  event.confirmed = true;
  event.type = conf::ErrorType::kIgnored;
  journal_.append(event);
  EXPECT_TRUE(book_.notes.empty()) << "that it is not spam is no complaint";
  event.type = conf::ErrorType::kHard;
  journal_.append(event);
  event.kind = conf::EventKind::kBounced;
  journal_.append(event);
  EXPECT_EQ(book_.notes,
            (std::vector<std::string>{"late complained ann@x.example 4294967295 550 5.1.1 no such user",
                                      "late hard ann@x.example 4294967294 550 5.1.1 no such user"}));
  EXPECT_EQ(book_.users, (std::vector<std::string>{"tenant", "tenant"})) << "whose list they go to";
  EXPECT_EQ(book_.counted, std::vector<std::string>{"complaint from "});
}

TEST_F(LedgerFeedTest, LateBouncesCountInTheReportsWhenTheyShould) {
  conf::DeliveryEvent event;
  event.kind = conf::EventKind::kBounced;
  event.reverse_path = "news@shop.example";
  event.recipient = "ann@x.example";
  event.type = conf::ErrorType::kHard;
  journal_.append(event);
  event.confirmed = true;
  journal_.append(event);
  EXPECT_TRUE(book_.counted.empty());
  feed_.count_late(true);
  journal_.append(event);
  event.confirmed = false;
  journal_.append(event);
  EXPECT_EQ(book_.counted, std::vector<std::string>{"failed from shop.example"});
}

TEST_F(LedgerFeedTest, AReportThatComesAgainIsCountedOnce) {
  feed_.count_late(true);
  conf::DeliveryEvent event;
  event.reverse_path = "news@shop.example";
  event.type = conf::ErrorType::kHard;
  event.confirmed = true;
  for (const conf::EventKind kind : {conf::EventKind::kBounced, conf::EventKind::kComplained}) {
    event.kind = kind;
    for (const char* recipient : {"ann@x.example", "Ann@x.example", "bob@x.example", "ann@x.example"}) {
      event.recipient = recipient;
      event.id = 7;
      journal_.append(event);
    }
    event.id = 8;
    journal_.append(event);
  }
  const std::string failed = "failed from shop.example", complaint = "complaint from shop.example";
  EXPECT_EQ(book_.counted,
            (std::vector<std::string>{failed, failed, failed, complaint, complaint, complaint}));
}

TEST(FirstReports, TheOldestIsForgotten) {
  journal::FirstReports reports(2);
  conf::DeliveryEvent event;
  for (conf::MessageId id : {1, 2, 3}) {
    event.id = id;
    EXPECT_TRUE(reports.is_first(event));
  }
  EXPECT_FALSE(reports.is_first(event));
  event.id = 1;
  EXPECT_TRUE(reports.is_first(event));
}

TEST_F(LedgerFeedTest, CountsEachEndOfARecipientOnce) {
  tell(conf::EventKind::kAccepted);
  tell(conf::EventKind::kDelivered);
  tell(conf::EventKind::kDeferred);
  conf::DeliveryEvent event;
  event.reverse_path = "news@shop.example";
  event.kind = conf::EventKind::kSuppressed;
  event.notice = std::make_shared<const conf::AddressNotice>();
  journal_.append(event);
  event.kind = conf::EventKind::kFailed;  // of the same recipient
  journal_.append(event);
  event.notice = nullptr;
  event.stage = conf::Stage::kRestored;  // it was counted before the restart
  journal_.append(event);
  event.stage = conf::Stage::kLocal;
  event.kind = conf::EventKind::kDeferred;
  event.limit = conf::Bind::kBlocked;  // nothing was tried
  journal_.append(event);
  EXPECT_EQ(book_.counted,
            (std::vector<std::string>{"delivered from shop.example", "deferred from shop.example",
                                      "quarantined from shop.example"}));
}

}  // namespace
}  // namespace relay
