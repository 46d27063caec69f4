// What becomes of recipients when an attempt ends, with the spool, the journal and the acceptance of reports
// as they are, and a walk that only notes what it gets back.
#include "relay/walk/settlement.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "relay/flow/meaning.h"
#include "relay/flow/stream_table.h"
#include "relay/spool/memory_spool.h"
#include "tests/relay/manual_clock.h"
#include "tests/relay/walk/walk_fakes.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using conf::EventKind;
using queue::DeliveryState;
using spool::RecipientState;
using Kind = smtp::RecipientOutcome::Kind;

class NotedWalk final : public Walk {
 public:
  bool is_paused(const queue::Delivery& /*delivery*/) const override { return false; }
  bool is_over(const queue::Delivery& /*delivery*/, const conf::DestinationSettings&) const override {
    return false;
  }
  void advance(queue::Delivery* delivery) override { advanced.push_back(delivery); }
  void settled(queue::Delivery* delivery) override { settled_ones.push_back(delivery); }
  void unreadable(queue::Delivery*, const conf::Error&) override { FAIL(); }
  std::vector<queue::Delivery*> advanced, settled_ones;
};

class SettlementTest : public testing::Test {
 protected:
  SettlementTest() {
    config_->hostname = "relay.test";
    settings_->retry.delays = {1h, 2h};
    settings_->retry.by_reason.clear();
    settings_->retry.jitter = 0;
    journal_.add(&events_);
  }
  ~SettlementTest() override { journal_.remove(&events_); }

  // A message that is being sent to these recipients of one domain.
  queue::Delivery* sending(const std::vector<std::string>& recipients,
                           const std::string& from = "sender@home.test") {
    spool::MessageRecord record;
    record.id = spool_.next_id(clock_.wall());
    record.accepted_at = clock_.wall();
    if (!from.empty()) record.envelope.reverse_path = conf::Mailbox::parse(from).value();
    for (const std::string& each : recipients)
      record.recipients.push_back({{conf::Mailbox::parse(each).value()}});
    const conf::MessageId id = record.id;
    const uint32_t domain = domains_.intern(record.recipients[0].recipient.mailbox.domain);
    message_ = messages_.insert(std::move(record), conf::Bytes("Subject: x\r\n\r\nx\r\n"), 1);
    queue::Delivery* delivery = deliveries_.add(id, domain, clock_.now());
    delivery->message = message_;
    delivery->move_to(DeliveryState::kLoading);
    delivery->move_to(DeliveryState::kSending);
    return delivery;
  }
  static smtp::RecipientOutcome answer(uint16_t code, const std::string& text) {
    smtp::RecipientOutcome outcome;
    outcome.kind = code / 100 == 2 ? Kind::kDelivered : Kind::kRefused;
    outcome.stage = bounce::Stage::kRcpt;
    outcome.reply = bounce::Reply::make(code, text);
    qualify(*bounce::Qualifier::shipped(), {"mx.test", "one.test", "tx"}, &outcome);
    return outcome;
  }
  static smtp::RecipientOutcome no_such_user() { return answer(550, "5.1.1 no such user"); }
  void settle(queue::Delivery* delivery, const std::vector<smtp::RecipientOutcome>& outcomes) {
    std::vector<uint32_t> recipients;
    for (uint32_t i = 0; i < outcomes.size(); ++i) recipients.push_back(i);
    AttemptFacts facts;
    facts.settings = settings_;
    facts.mx_host = "mx.test";
    settlement_.apply(delivery, recipients, outcomes, facts);
    settlement_.conclude(delivery);
  }
  void write() {
    spool_.run_batch();
    spool_.drain_completions();
  }
  const spool::RecipientRecord& recipient(size_t index) const { return message_->record.recipients[index]; }
  bool is_settled() const { return !walk_.settled_ones.empty(); }

  ManualClock system_;
  spool::RelayClock clock_{&system_, "boot"};
  std::shared_ptr<conf::Config> config_ = std::make_shared<conf::Config>();
  std::shared_ptr<conf::DestinationSettings> settings_ = std::make_shared<conf::DestinationSettings>();
  conf::Random random_{1};
  spool::MemorySpool spool_;
  journal::Journal journal_;
  EventList events_;
  queue::DeliveryStore deliveries_;
  queue::MessageCache messages_{&spool_, 1'000'000};
  queue::DomainTable domains_;
  queue::StreamTable streams_{config_};
  NotedWalk walk_;
  Doubter doubter_;
  Attempts attempts_;
  Signing signing_{config_, nullptr, &messages_, &clock_, {}};
  Acceptance acceptance_{{config_,
                          &spool_,
                          &journal_,
                          &clock_,
                          &signing_,
                          &messages_,
                          &domains_,
                          &deliveries_,
                          &streams_,
                          &walk_,
                          nullptr,
                          {}}};
  Settlement settlement_{{config_, &spool_, &journal_, &clock_, &random_, &messages_, &attempts_,
                          &acceptance_, &walk_, &deliveries_.last_replies(), &streams_}};
  queue::Message* message_ = nullptr;  // the latest
};

TEST_F(SettlementTest, WhatIsDeliveredEndsAtOnce) {
  queue::Delivery* delivery = sending({"a@one.test"});
  settle(delivery, {answer(250, "2.1.5 ok")});
  EXPECT_EQ(recipient(0).state, RecipientState::kDelivered);
  EXPECT_TRUE(delivery->changed) << "it goes to the spool";
  ASSERT_EQ(events_.of(EventKind::kDelivered).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kDelivered)[0].attempt, 1U);
  EXPECT_EQ(walk_.settled_ones, std::vector<queue::Delivery*>{delivery});
}

TEST_F(SettlementTest, AFailureCountsOnceTheReportAboutItIsStored) {
  queue::Delivery* delivery = sending({"a@one.test"});
  settle(delivery, {no_such_user()});
  EXPECT_EQ(delivery->state, DeliveryState::kSettling);
  EXPECT_EQ(recipient(0).state, RecipientState::kPending)
      << "a crash now must not lose the only word about it";
  EXPECT_TRUE(events_.all.empty());
  EXPECT_FALSE(is_settled());
  write();
  EXPECT_EQ(recipient(0).state, RecipientState::kFailed);
  EXPECT_TRUE(recipient(0).blamed);
  EXPECT_TRUE(is_settled());
  ASSERT_EQ(events_.all.size(), 2U);
  EXPECT_EQ(events_.all[0].kind, EventKind::kFailed);
  EXPECT_EQ(events_.all[1].kind, EventKind::kReportSent) << "after what it is about";
  EXPECT_EQ(events_.all[1].related, delivery->id);
  ASSERT_EQ(walk_.advanced.size(), 1U) << "the report goes its way like any message";
  EXPECT_EQ(domains_.name(walk_.advanced[0]->domain).text(), "home.test");
}

TEST_F(SettlementTest, AReportThatCannotBeStoredIsMadeLater) {
  queue::Delivery* delivery = sending({"a@one.test", "b@one.test"});
  spool_.fail_next_stores(1, conf::ErrorCode::kNoSpace);
  settle(delivery, {no_such_user(), answer(250, "2.1.5 ok")});
  write();
  EXPECT_EQ(recipient(0).state, RecipientState::kPending);
  EXPECT_EQ(recipient(0).due, clock_.wall() + 10min);
  EXPECT_EQ(recipient(0).attempts, 0) << "the fault of the disk takes no step of the schedule";
  EXPECT_EQ(recipient(1).state, RecipientState::kDelivered);
  EXPECT_TRUE(events_.of(EventKind::kFailed).empty());
  EXPECT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  EXPECT_TRUE(is_settled());
}

TEST_F(SettlementTest, NobodyIsToldOfMailThatNobodySent) {
  queue::Delivery* delivery = sending({"a@one.test"}, "");
  settle(delivery, {no_such_user()});
  EXPECT_EQ(recipient(0).state, RecipientState::kFailed);
  EXPECT_TRUE(is_settled());
  EXPECT_EQ(spool_.waiting(), 0U);
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
}

TEST_F(SettlementTest, ASoftRefusalTakesAStepOfItsSchedule) {
  queue::Delivery* delivery = sending({"a@one.test"});
  settle(delivery, {answer(452, "4.2.2 mailbox full")});
  EXPECT_EQ(recipient(0).state, RecipientState::kPending);
  EXPECT_EQ(recipient(0).attempts, 1);
  EXPECT_EQ(recipient(0).due, clock_.wall() + 1h);
  system_.time += 1h;
  settle(delivery, {answer(452, "4.2.2 mailbox full")});
  EXPECT_EQ(recipient(0).due, clock_.wall() + 2h);
  EXPECT_EQ(events_.of(EventKind::kDeferred).back().attempt, 2U);
  system_.time += 2h;
  settle(delivery, {answer(452, "4.2.2 mailbox full")});
  write();
  EXPECT_EQ(recipient(0).state, RecipientState::kExpired) << "the schedule is used up";
  EXPECT_EQ(events_.of(EventKind::kExpired).size(), 1U);
}

TEST_F(SettlementTest, TroubleOfThePathTakesNoStep) {
  queue::Delivery* delivery = sending({"a@one.test"});
  settle(delivery, {answer(0, "the connection broke")});
  EXPECT_EQ(recipient(0).attempts, 0);
  EXPECT_EQ(delivery->attempt, 1) << "an attempt it was";
  EXPECT_GT(recipient(0).due, clock_.wall());
  EXPECT_LT(recipient(0).due, clock_.wall() + 5min);
}

// A filter that resets the connection would get the whole content every minute, for days.
TEST_F(SettlementTest, ASessionThatBreaksInTheContentTakesAStep) {
  queue::Delivery* delivery = sending({"a@one.test"});
  smtp::RecipientOutcome broken = answer(0, "the connection broke");
  broken.stage = bounce::Stage::kDot;
  settle(delivery, {broken});
  EXPECT_EQ(recipient(0).attempts, 1);
  EXPECT_EQ(recipient(0).due, clock_.wall() + 1h);
}

TEST_F(SettlementTest, ARefusalThatAWitnessDoubtsIsSoft) {
  settlement_.use(&doubter_);
  doubter_.doubting = true;
  queue::Delivery* delivery = sending({"a@one.test"});
  settle(delivery, {no_such_user()});
  EXPECT_EQ(recipient(0).state, RecipientState::kPending);
  EXPECT_FALSE(recipient(0).blamed);
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kDeferred)[0].type, conf::ErrorType::kSoft);
  doubter_.doubting = false;
  settle(delivery, {no_such_user()});
  write();
  EXPECT_EQ(recipient(0).state, RecipientState::kFailed);
}

TEST_F(SettlementTest, WhoseTurnIsStillToComeStaysAsHeIs) {
  queue::Delivery* delivery = sending({"a@one.test", "b@one.test"});
  settle(delivery, {answer(250, "2.1.5 ok"), smtp::RecipientOutcome{}});
  EXPECT_EQ(recipient(1).state, RecipientState::kPending);
  EXPECT_EQ(recipient(1).attempts, 0);
  EXPECT_EQ(events_.all.size(), 1U);
}

TEST_F(SettlementTest, OneReportTellsOfAllThatFailedInOneAttempt) {
  queue::Delivery* delivery = sending({"a@one.test", "b@one.test"});
  AttemptFacts facts;
  facts.settings = settings_;
  settlement_.apply(delivery, {0}, {no_such_user()}, facts);  // two transactions
  settlement_.apply(delivery, {1}, {no_such_user()}, facts);
  settlement_.conclude(delivery);
  write();
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 2U);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  EXPECT_EQ(delivery->attempt, 1) << "one attempt, however many transactions it takes";
}

}  // namespace
}  // namespace relay
