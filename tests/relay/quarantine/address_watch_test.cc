// Who may not be written to is refused, reported or only logged; what servers say reaches the book.
#include "relay/quarantine/address_watch.h"

#include <gtest/gtest.h>

#include "tests/relay/quarantine/book_of_notes.h"

namespace relay {
namespace {

using Notes = std::vector<std::string>;

class Recorder final : public journal::Feed {
 public:
  journal::FeedClass feed_class() const override { return journal::FeedClass::kBestEffort; }
  void take(uint64_t, const conf::DeliveryEvent& event) override { events.push_back(event); }
  uint64_t through() const override { return events.size(); }
  std::vector<conf::DeliveryEvent> events;
};

class AddressWatchTest : public testing::Test {
 protected:
  AddressWatchTest() {
    journal_.add(&recorder_);
    book_.statuses["dead@x.example"] = {bounce::AddressStatus::kQuarantine, 1};
    book_.statuses["angry@x.example"] = {bounce::AddressStatus::kDenylisted, 8};
    book_.statuses["shaky@x.example"] = {bounce::AddressStatus::kWithErrors, 3};
    book_.statuses["vip@x.example"] = {bounce::AddressStatus::kAllowlisted, 25};
    set(conf::QuarantineAction::kRefuse);
  }
  void set(conf::QuarantineAction action) {
    conf::Config config;
    conf::Listener listener;
    listener.name = "in";
    listener.quarantine = action;
    config.listeners.push_back(listener);
    config.quarantine.bypass_users = {"court"};
    watch_ = std::make_unique<AddressWatch>(AddressWatch::Parts{&book_, &journal_, &clock_},
                                            std::make_shared<const conf::Config>(std::move(config)));
  }
  static conf::Recipient to(const std::string& address) {
    conf::Recipient recipient;
    recipient.mailbox = conf::Mailbox::parse(address).value();
    return recipient;
  }
  static conf::Envelope envelope(const std::string& user = "") {
    conf::Envelope made;
    made.reverse_path = conf::Mailbox::parse("news@shop.example").value();
    made.listener = "in";
    made.authenticated_as = user;
    return made;
  }
  static spool::MessageRecord record(const std::string& address) {
    spool::MessageRecord made;
    made.id = 7;
    made.envelope = envelope();
    made.recipients.resize(1);
    made.recipients[0].recipient = to(address);
    return made;
  }
  bool doubts(smtp::RecipientOutcome outcome) {
    const spool::MessageRecord about = record("ann@x.example");
    return watch_->doubts(about, about.recipients[0], outcome, {}, conf::from_unix_micros(1));
  }
  static smtp::RecipientOutcome refusal(bounce::ErrorType type, bounce::Scope scope) {
    smtp::RecipientOutcome outcome;
    outcome.kind = smtp::RecipientOutcome::Kind::kRefused;
    outcome.reply = bounce::Reply::make(550, "5.1.1 no such user");
    outcome.meaning.type = type;
    outcome.meaning.scope = scope;
    return outcome;
  }

  BookOfNotes book_;
  journal::Journal journal_;
  Recorder recorder_;
  conf::SystemClock clock_;
  std::unique_ptr<AddressWatch> watch_;
};

TEST_F(AddressWatchTest, TheDoorRefusesWithTheReasonAndTheJournalSaysSo) {
  EXPECT_EQ(watch_->at_door(envelope(), to("dead@x.example")).value_or(""),
            "550 5.1.1 <dead@x.example> is in quarantine (user-unknown), nothing is sent there");
  EXPECT_EQ(watch_->at_door(envelope(), to("angry@x.example")).value_or(""),
            "550 5.1.1 <angry@x.example> is on the denylist (denylisted), nothing is sent there");
  ASSERT_EQ(recorder_.events.size(), 2U);
  EXPECT_EQ(recorder_.events[0].kind, conf::EventKind::kSuppressed);
  EXPECT_EQ(recorder_.events[0].recipient, "dead@x.example");
  EXPECT_EQ(recorder_.events[0].notice->suppression, conf::Suppression::kRefused);
  for (const char* address : {"shaky@x.example", "vip@x.example", "new@x.example"})
    EXPECT_FALSE(watch_->at_door(envelope(), to(address)).has_value()) << address;
  EXPECT_EQ(recorder_.events.size(), 2U);
}

TEST_F(AddressWatchTest, ListenersThatReportOrLogTakeItAndTheWalkIsToldWhich) {
  for (const auto& [action, suppression] :
       {std::pair(conf::QuarantineAction::kReport, conf::Suppression::kReported),
        std::pair(conf::QuarantineAction::kLog, conf::Suppression::kLogged)}) {
    set(action);
    EXPECT_FALSE(watch_->at_door(envelope(), to("dead@x.example")).has_value());
    const spool::MessageRecord about = record("dead@x.example");
    const auto refusal = watch_->refuses(about, about.recipients[0]);
    ASSERT_TRUE(refusal.has_value());
    EXPECT_EQ(refusal->reply.code, 550);
    EXPECT_EQ(refusal->notice->suppression, suppression);
    const size_t before = recorder_.events.size();
    watch_->refuses(about, about.recipients[0]);
    EXPECT_EQ(recorder_.events.size(), before) << "to be asked is no event";
    watch_->carried_out(about, about.recipients[0]);
    ASSERT_EQ(recorder_.events.size(), before + 1);
    EXPECT_EQ(recorder_.events.back().kind, conf::EventKind::kSuppressed);
    EXPECT_EQ(recorder_.events.back().id, 7U);
    EXPECT_EQ(recorder_.events.back().notice->suppression, suppression);
  }
}

TEST_F(AddressWatchTest, MandatedMailGoesPast) {
  EXPECT_FALSE(watch_->at_door(envelope("court"), to("dead@x.example")).has_value());
  EXPECT_TRUE(watch_->at_door(envelope("shop"), to("dead@x.example")).has_value());
  spool::MessageRecord about = record("dead@x.example");
  EXPECT_TRUE(watch_->refuses(about, about.recipients[0]).has_value());
  about.envelope.mandated = true;
  EXPECT_FALSE(watch_->refuses(about, about.recipients[0]).has_value());
}

TEST_F(AddressWatchTest, OnlyWhatIsAboutTheRecipientReachesTheBook) {
  using bounce::ErrorType;
  using bounce::Scope;
  for (const Scope scope : {Scope::kMessage, Scope::kConnection, Scope::kSite, Scope::kSender})
    EXPECT_FALSE(doubts(refusal(ErrorType::kHard, scope)));
  EXPECT_TRUE(book_.notes.empty());
  EXPECT_FALSE(doubts(refusal(ErrorType::kHard, Scope::kRecipient)));
  book_.doubt = true;
  EXPECT_TRUE(doubts(refusal(ErrorType::kHard, Scope::kRecipient)));
  smtp::RecipientOutcome taken;
  taken.kind = smtp::RecipientOutcome::Kind::kDelivered;
  EXPECT_FALSE(doubts(taken));
  EXPECT_EQ(book_.notes,
            (Notes{"hard ann@x.example 1 550 5.1.1 no such user",
                   "hard ann@x.example 1 550 5.1.1 no such user", "delivered ann@x.example 1 "}));
}

TEST_F(AddressWatchTest, AHardErrorOfTheSpoolIsToldAgainAndNothingElse) {
  spool::MessageRecord about = record("gone@x.example");
  spool::RecipientRecord& recipient = about.recipients[0];
  recipient.state = spool::RecipientState::kFailed;
  recipient.attempts = 2;
  recipient.reply_code = 550;
  recipient.last_reply = "5.1.1 user unknown";
  recipient.mx_host = "mx.x.example";
  watch_->recovered(about, conf::from_unix_micros(1));
  EXPECT_TRUE(book_.notes.empty()) << "its words sound so, but by its stage or a rule it was not the address";
  recipient.blamed = true;
  watch_->recovered(about, conf::from_unix_micros(1));
  EXPECT_EQ(book_.notes, (Notes{"retold gone@x.example 2 550 5.1.1 user unknown"}));
  recipient.state = spool::RecipientState::kPending;
  recipient.last_reply = "5.1.1 user unknown";
  watch_->recovered(about, conf::from_unix_micros(1));
  EXPECT_EQ(book_.notes.size(), 1U);
}

TEST_F(AddressWatchTest, WhoIsBarredIsToldInWords) {
  const auto barred = [this](const char* address) {
    return watch_->barred(conf::Mailbox::parse(address).value());
  };
  EXPECT_TRUE(barred("dead@x.example").starts_with("in quarantine (")) << barred("dead@x.example");
  EXPECT_TRUE(barred("angry@x.example").starts_with("on the denylist (")) << barred("angry@x.example");
  EXPECT_EQ(barred("shaky@x.example"), "");
}

}  // namespace
}  // namespace relay
