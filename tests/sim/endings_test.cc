// The judge of endings says no: each kind of broken promise, made up; and yes where there is an excuse.
#include "tests/sim/endings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using conf::EventKind;

class EndingsTest : public testing::Test {
 protected:
  void event(EventKind kind, conf::Duration at, const std::string& recipient = "a@d.test") {
    conf::DeliveryEvent made;
    made.kind = kind;
    made.id = 7;
    made.recipient = recipient;
    made.recipients = 1;
    made.time = made.next_attempt = conf::WallTime(at);
    if (kind == EventKind::kFailed) refused(at, recipient);
    events_.push_back(made);
    moments_.push_back(conf::Instant{at});
    written_.push_back(conf::Instant{at});
  }
  void refused(conf::Duration at, const std::string& recipient) {
    ledger_.refused[recipient].emplace_back(at);
  }
  // A message with that one recipient, who fails by whatever was refused before.
  void fails(conf::Duration at, const std::string& recipient) {
    event(EventKind::kAccepted, 1s);
    event(EventKind::kExpired, at, recipient);
    events_.back().kind = EventKind::kFailed;
    events_.back().reply_code = 503;
    events_.back().reply = "bad sequence of commands";
  }
  void delivered(conf::Duration at, bool heard = true) {
    ledger_.delivery_dots[{"m", "a@d.test"}].push_back(
        {conf::Instant{at}, std::make_shared<const bool>(heard)});
  }
  void reported(conf::Duration at, conf::MessageId report = 8, bool heard = true) {
    ledger_.report_dots[{"m", "a@d.test"}].push_back(
        {conf::Instant{at}, std::make_shared<const bool>(heard), conf::to_text(report)});
  }
  // The message, or the report, and its end, so that its events are good.
  void taken(conf::MessageId id, conf::Duration at, EventKind kind = EventKind::kReportSent) {
    event(kind, at);
    events_.back().id = id;
    event(EventKind::kDelivered, at);
    events_.back().id = id;
  }
  void crash(conf::Duration at) { crashes_.emplace_back(at); }

  std::vector<std::string> wrong() {
    return judge_endings({&ledger_, &events_, &moments_, &written_, &crashes_, &stalls_});
  }
  void expect(const std::string& word) {
    const std::vector<std::string> all = wrong();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                            [&](const std::string& each) { return each.find(word) != std::string::npos; }))
        << word << ": " << all.size() << (all.empty() ? "" : " " + all[0]);
  }
  void expect_good() { EXPECT_TRUE(wrong().empty()) << wrong()[0]; }

  Ledger ledger_;
  std::vector<conf::DeliveryEvent> events_;
  std::vector<conf::Instant> moments_, written_, crashes_;
  std::vector<std::pair<conf::Instant, conf::Instant>> stalls_;
};

TEST_F(EndingsTest, OneFinalEventIsWhatEachRecipientHas) {
  event(EventKind::kAccepted, 1s);
  expect("1 recipients never ended");
  event(EventKind::kDeferred, 2s);
  expect("1 recipients never ended");
  event(EventKind::kDelivered, 3s);
  expect_good();
  event(EventKind::kFailed, 4s);
  expect("it ended twice");
}

TEST_F(EndingsTest, ARecipientThatNobodyNamedIsNoneOfTheMessages) {
  event(EventKind::kAccepted, 1s);
  events_.back().recipients = 2;
  event(EventKind::kDelivered, 2s, "a@d.test");
  expect("1 recipients never ended");
  event(EventKind::kExpired, 3s, "b@d.test");
  expect_good();
}

TEST_F(EndingsTest, ACrashAfterTheFirstEndExcusesTheSecondAndNoOther) {
  event(EventKind::kAccepted, 1s);
  event(EventKind::kDelivered, 3s);
  event(EventKind::kDelivered, 60s);
  crash(2s);
  expect("it ended twice");
  crash(4s);
  expect_good();
  event(EventKind::kDelivered, 70s);
  expect("it ended twice");
}

TEST_F(EndingsTest, ALineThatWasLongOnTheDiskIsNotWrittenAgain) {
  event(EventKind::kAccepted, 1s);
  event(EventKind::kDelivered, 3s);
  event(EventKind::kDelivered, 10min);
  crash(9min);
  expect("it ended twice");
  written_[1] = conf::kNever;  // a full disk
  expect_good();
}

TEST_F(EndingsTest, WhenTheLastLineOfAMessageWasLostAllItsEndsMayBeToldAgain) {
  event(EventKind::kAccepted, 1s);
  events_.back().recipients = 2;
  event(EventKind::kFailed, 3s, "a@d.test");
  event(EventKind::kDelivered, 8min, "b@d.test");
  event(EventKind::kFailed, 10min, "a@d.test");
  crash(9min);
  events_.back().stage = conf::Stage::kRestored;
  expect("it ended twice");
  written_[2] = conf::kNever;
  expect_good();
  events_.back().stage = conf::Stage::kDot;
  expect("it ended twice");
}

TEST_F(EndingsTest, TheNextAttemptLiesInTheFuture) {
  event(EventKind::kDeferred, 5s);
  expect_good();
  events_.back().next_attempt -= 1s;
  expect("lies in the past");
}

TEST_F(EndingsTest, WhoReadTheReplyDoesNotSendAgain) {
  delivered(1s);
  expect_good();
  delivered(2s);
  expect("m to a@d.test: delivered again");
}

TEST_F(EndingsTest, WhoCouldNotReadTheReplyMaySendAgainAndOnlyHe) {
  delivered(1s, false);
  delivered(2s);
  expect_good();
  delivered(3s);
  expect("delivered again");
}

TEST_F(EndingsTest, ACrashOfAnotherRecipientsTimeExcusesNothing) {
  delivered(10s);
  delivered(20s);
  crash(9s);   // before its dot
  crash(21s);  // after it was sent again
  expect("delivered again");
  crash(15s);
  expect_good();
}

TEST_F(EndingsTest, ACrashLongAfterTheResultWasWrittenExcusesNothing) {
  delivered(10s);
  crash(10min);
  delivered(11min);
  expect("delivered again");
}

TEST_F(EndingsTest, ACrashAfterTheProcessStoodStillExcusesWhatItCouldNotWrite) {
  delivered(10s);
  crash(10min);
  delivered(11min);
  stalls_.emplace_back(conf::Instant{12s}, conf::Instant{9min});
  expect("delivered again");
  stalls_.emplace_back(conf::Instant{9min}, conf::Instant{599s});
  expect_good();
}

TEST_F(EndingsTest, WhatWasDeliveredIsNotReportedAsFailed) {
  delivered(10s);
  reported(20s);
  expect("delivered, and reported as failed");
  crash(11s);
  expect_good();
}

TEST_F(EndingsTest, WhatWasReportedAsFailedIsNotDeliveredButAfterACrash) {
  taken(8, 5s);
  delivered(10s);
  reported(20s);
  expect("delivered, and reported as failed");
  crash(11s);  // when both were done
  expect("delivered, and reported as failed");
  crash(6s);
  expect_good();
}

TEST_F(EndingsTest, AReportGoesOnce) {
  reported(10s);
  reported(20s);
  expect("reported again");
}

TEST_F(EndingsTest, ASecondReportNeedsACrashBetweenTheTwo) {
  taken(8, 1s);
  taken(9, 5s);
  reported(10s, 8);
  reported(10s, 9);
  expect("two reports about it");
  crash(6s);
  expect("two reports about it");
  crash(2s);
  expect_good();
}

TEST_F(EndingsTest, NobodyFailsByARefusalThatWasNotTheirOwn) {
  fails(5s, "a@d.test");
  expect("to a@d.test: failed, and its receiver refused it never: 503 bad sequence");
  refused(4s, "b@d.test");
  expect("refused it never");
  refused(4s, "a@d.test");
  expect_good();
}

TEST_F(EndingsTest, ARefusalThatComesLaterIsNoneWhenTheRecipientFails) {
  fails(5s, "a@d.test");
  refused(6s, "a@d.test");
  expect("refused it never");
}

TEST_F(EndingsTest, WhoHasNoReceiverFailsWithoutItsWord) {
  fails(5s, "a@d.test");
  ledger_.nowhere.insert("e.test");
  ledger_.foreign.insert("b@d.test");
  expect("refused it never");
  ledger_.nowhere.insert("d.test");
  expect_good();
  ledger_.nowhere.clear();
  ledger_.foreign.insert("a@d.test");
  expect_good();
}

TEST_F(EndingsTest, AMessageIsTakenTwiceOnlyWhenACrashCostItsClientTheAnswer) {
  taken(8, 1s, EventKind::kAccepted);
  taken(9, 5s, EventKind::kAccepted);
  ledger_.identifiers[1] = {conf::to_text(conf::MessageId{8}), conf::to_text(conf::MessageId{9})};
  expect("message 1: taken twice");
  crash(2s);
  expect_good();
}

}  // namespace
}  // namespace sim
