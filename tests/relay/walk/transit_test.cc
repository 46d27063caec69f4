// The walk as a whole.
#include <gtest/gtest.h>

#include "relay/host/configuration.h"
#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using conf::EventKind;

class TransitTest : public WalkRig {};

TEST_F(TransitTest, OfManyLookUpsThatAreDueOnlySomeAreBegunInAStep) {
  refuse_for_now();
  start();
  std::vector<std::string> recipients;
  for (int i = 0; i < 600; ++i) recipients.push_back("a@d" + std::to_string(i) + ".test");
  submit(recipients);
  ASSERT_EQ(transit_->resting().scheduled(), 600U);
  transit_->reload(config_, book_);  // no route is known any more
  run();
  clock_.time += 2h;
  const uint64_t before = transit_->routes().work();
  transit_->step(clock_.time);
  EXPECT_GT(transit_->routes().work(), before);
  EXPECT_LE(transit_->routes().work(), before + 4096 + 8);
  EXPECT_GT(transit_->resting().scheduled(), 100U);
  EXPECT_LE(transit_->next_wake(), clock_.time);
  server_.to_rcpt = "250 2.1.5 ok";
  run();
  EXPECT_EQ(server_.recipients.size(), 600U);
}

// Orders that come in between hold for what is not begun yet.
TEST_F(TransitTest, AMessageToVeryManyDomainsIsBegunInSeveralSteps) {
  start();
  spool::MessageRecord record;
  record.id = transit_->next_id();
  for (int i = 0; i < 600; ++i)
    record.recipients.push_back({{conf::Mailbox::parse("a@d" + std::to_string(i) + ".test").value()}});
  const conf::MessageId id = record.id;
  transit_->accept(std::move(record), conf::Bytes("Subject: x\r\n\r\nx\r\n"),
                   [](const conf::Result<spool::Receipt>& stored) { EXPECT_TRUE(stored.ok()); });
  spool_.run_batch();
  transit_->step(clock_.time);
  const auto not_begun = [&] {
    size_t count = 0;
    transit_->deliveries().for_each(
        [&](const queue::Delivery* each) { count += each->state == queue::DeliveryState::kNew ? 1 : 0; });
    return count;
  };
  EXPECT_EQ(transit_->deliveries().deliveries(), 600U);
  EXPECT_GT(not_begun(), 300U);
  EXPECT_LE(transit_->next_wake(), clock_.time);
  // A message that comes meanwhile waits for two more steps.
  spool::MessageRecord receipt;
  receipt.id = transit_->next_id();
  receipt.recipients.push_back({{conf::Mailbox::parse("a@receipt.test").value()}});
  transit_->accept(std::move(receipt), conf::Bytes("Subject: x\r\n\r\nx\r\n"),
                   [](const conf::Result<spool::Receipt>& stored) { EXPECT_TRUE(stored.ok()); });
  EXPECT_TRUE(transit_->orders().drop(id, "anna"));
  run();
  EXPECT_EQ(not_begun(), 0U);
  EXPECT_EQ(server_.recipients.back(), "a@receipt.test");
  EXPECT_GT(events_.of(EventKind::kDropped).size(), 300U);
  EXPECT_EQ(events_.of(EventKind::kDropped).size() + server_.recipients.size(), 601U);
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitTest, MailForAServerOfSevenBitsIsConvertedOffTheLoop) {
  config_->defaults.peer.eight_bit = conf::EightBit::kConvert;
  start();
  converter_.is_away = true;
  submit({"a@one.test"}, "", conf::kNotifyDefault,
         "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n");
  EXPECT_EQ(converter_.waiting(), 1U);
  EXPECT_TRUE(server_.recipients.empty()) << "not before it is converted";
  converter_.is_away = false;
  run();
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"a@one.test"});
  EXPECT_NE(server_.wire.find("w6QNCg=="), std::string::npos) << server_.wire;
  EXPECT_EQ(server_.wire.find('\xc3'), std::string::npos) << server_.wire;
}

// RFC 6531 §3.6 lets it fail, and RFC 2047 has another form for all but addresses.
TEST_F(TransitTest, Utf8InTheHeaderAloneNeedsNoSmtpUtf8WhateverTheClientSaid) {
  config_->defaults.peer.eight_bit = conf::EightBit::kConvert;
  start();
  const auto offer = [&](const std::string& from) {
    spool::MessageRecord record;
    record.id = transit_->next_id();
    record.envelope.smtputf8 = true;
    record.recipients.push_back({{conf::Mailbox::parse("a@one.test").value(), conf::kNotifyDefault}});
    transit_->accept(std::move(record),
                     conf::Bytes("From: " + from + "\r\nSubject: gr\xc3\xbc\xc3\x9f\r\n\r\nx\r\n"),
                     [](const conf::Result<spool::Receipt>& stored) { EXPECT_TRUE(stored.ok()); });
    run();
  };
  offer("\xc3\xa4 <b@c.test>");
  EXPECT_NE(server_.wire.find("Subject: =?utf-8?B?Z3LDvMOf?="), std::string::npos) << server_.wire;
  EXPECT_EQ(server_.wire.find("SMTPUTF8"), std::string::npos) << server_.wire;
  EXPECT_EQ(events_.of(EventKind::kDelivered).size(), 1U);
  offer("<\xc3\xa4@c.test>");
  ASSERT_EQ(events_.of(EventKind::kFailed).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kFailed)[0].reply,
            "5.6.7 The header has UTF-8 text and the receiving server does not offer SMTPUTF8");
}

// The server takes seven bits only: each transaction sends a converted copy with a signature of its own, and
// that of the second one fails. What the first one said of its recipient stands.
TEST_F(TransitTest, AVerdictIsFinalWhateverBecomesOfTheNextTransaction) {
  config_->defaults.max_recipients_per_transaction = 1;
  config_->defaults.peer.eight_bit = conf::EightBit::kConvert;
  config_->dkim.without_signature = conf::WithoutSignature::kDefer;
  signer_.good = 2;  // the message, and the first copy
  start();
  server_.to_rcpt_of["a@one.test"] = "550 5.1.1 user unknown";
  submit({"a@one.test", "b@one.test"}, "", conf::kNotifyDefault,
         "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n");
  run();  // the second copy is made and signed in steps of their own
  EXPECT_EQ(signer_.good, 0);
  size_t about_a = 0;
  for (const conf::DeliveryEvent& each : events_.all) {
    if (each.recipient != "a@one.test" || each.kind == EventKind::kAccepted) continue;
    ++about_a;
    EXPECT_EQ(each.kind, EventKind::kFailed) << each.reply;
  }
  EXPECT_EQ(about_a, 1U);
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kDeferred)[0].recipient, "b@one.test");
}

TEST_F(TransitTest, WhatItsClientWasToldToSendAgainIsNotDelivered) {
  start();
  const auto offer = [&](std::optional<conf::Result<spool::Receipt>>* answer) {
    spool::MessageRecord record;
    record.id = transit_->next_id();
    record.recipients.push_back({{conf::Mailbox::parse("a@one.test").value(), conf::kNotifyDefault}});
    const conf::MessageId id = record.id;
    transit_->accept(std::move(record), conf::Bytes("Subject: x\r\n\r\nx\r\n"),
                     [answer](conf::Result<spool::Receipt> stored) { *answer = std::move(stored); });
    return id;
  };
  for (const bool written : {false, true}) {
    std::optional<conf::Result<spool::Receipt>> answer;
    const conf::MessageId id = offer(&answer);
    if (written) spool_.run_batch();  // and its answer is on the way
    transit_->withdraw(id);
    run();
    ASSERT_TRUE(answer.has_value());
    ASSERT_FALSE(answer->ok());
    EXPECT_EQ(answer->error().code, conf::ErrorCode::kUnavailable);
    EXPECT_TRUE(server_.recipients.empty());
    EXPECT_TRUE(events_.of(EventKind::kAccepted).empty());
    EXPECT_EQ(spool_.message_count(), 0U);
  }
  std::optional<conf::Result<spool::Receipt>> answer;
  const conf::MessageId id = offer(&answer);
  spool_.run_batch();
  spool_.drain_completions();
  transit_->withdraw(id);  // its client heard 250 before
  run();
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->ok());
  EXPECT_EQ(server_.recipients.size(), 1U);
}

TEST_F(TransitTest, AMessageThatCannotBeReadAnyMoreLeavesTheQueueWithAnEvent) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  const conf::MessageId id = submit({"a@one.test"});
  ASSERT_TRUE(spool_.corrupt_record(id));
  pass(15min);
  const std::vector<conf::DeliveryEvent> alarms = events_.of(EventKind::kAlarm);
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_EQ(alarms[0].id, id);
  EXPECT_EQ(alarms[0].recipient, "@one.test");
  EXPECT_NE(alarms[0].reply.find("left the queue"), std::string::npos) << alarms[0].reply;
  EXPECT_EQ(transit_->resting().scheduled(), 0U);
}

TEST_F(TransitTest, AnAttemptThatTakesNoStepOfTheScheduleIsOneAllTheSame) {
  start();
  server_.to_rcpt = "450 4.7.1 too many messages from your address, slow down";
  const conf::MessageId id = submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  ASSERT_TRUE(spool_.corrupt_record(id));
  pass(15min);
  ASSERT_EQ(events_.of(EventKind::kAlarm).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kAlarm)[0].attempt, 1U);
}

TEST_F(TransitTest, ShortTroubleWithNamesTakesMinutesAndNoStepOfTheSchedule) {
  config_->defaults.retry.delays = {1h};
  start();
  names_.failing = true;
  submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  names_.failing = false;
  pass(6min);
  EXPECT_EQ(events_.of(EventKind::kDelivered).size(), 1U);
}

TEST_F(TransitTest, AnMxThatLeadsToAListenerAddedByAReloadIsALoop) {
  start();
  submit({"a@one.test"});
  EXPECT_EQ(server_.recipients.size(), 1U);
  transit_->routes().use_own_addresses({"127.0.0.1:25"});
  transit_->reload(config_, book_);
  run();
  submit({"a@one.test"});
  EXPECT_EQ(server_.recipients.size(), 1U);
  ASSERT_EQ(events_.of(EventKind::kFailed).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kFailed)[0].enhanced_status, "5.4.6");
}

TEST_F(TransitTest, AQuestionForTheRouteOfADomainIsAnsweredThoughItsMailWasHeldDuringAReload) {
  start();
  names_.slow = true;
  const conf::MessageId id = submit({"a@one.test"});
  bool answered = false;
  transit_->routes().ask(conf::Domain::from_canonical("one.test"),
                         [&](queue::DomainEntry* domain) { answered = domain->route != nullptr; });
  EXPECT_TRUE(transit_->orders().hold(id));
  transit_->reload(config_, nullptr);
  names_.answer_all();
  run();
  EXPECT_EQ(transit_->resting().held(), 1U);
  EXPECT_TRUE(answered);
}

// The reload takes the route away while the smart host of its rule is looked up, and with its mail on hold
// nobody but the question asks for it again.
// A start with cold DNS: all that there is may wait for one answer.
TEST_F(TransitTest, WhatWaitedForOneLookUpGoesOnInSeveralSteps) {
  start();
  names_.slow = true;
  const auto routing = [&] {
    size_t count = 0;
    transit_->deliveries().for_each(
        [&](const queue::Delivery* each) { count += each->state == queue::DeliveryState::kRouting ? 1 : 0; });
    return count;
  };
  const size_t most = transit_->choice().choices_per_step();
  const size_t all = 2 * most + 100;
  while (routing() < all) submit({"a@one.test"});
  names_.answer_all();
  EXPECT_EQ(routing(), all) << "the answer itself moves nothing";
  for (size_t left = all; left > 0; left -= std::min(left, most)) {
    EXPECT_EQ(routing(), left);
    EXPECT_LE(transit_->next_wake(), clock_.time);
    transit_->step(clock_.time);
  }
  EXPECT_EQ(routing(), 0U);
  run();
  EXPECT_EQ(server_.recipients.size(), all);
}

TEST_F(TransitTest, AQuestionIsAnsweredThoughTheRuleOfADetourWentWithAReload) {
  Configuration read = parse_configuration(R"(hostname = "relay.test"
[[listener]]
address = "127.0.0.1:25"
[[rule]]
name = "by-way"
mx = ["mx.one.test"]
smart_hosts = ["smart.test:25"]
)",
                                           "t.toml");
  ASSERT_NE(read.book, nullptr) << (read.problems.empty() ? "" : read.problems[0].text());
  book_ = read.book;
  start();
  names_.slow = true;
  const conf::MessageId id = submit({"a@one.test"});
  names_.answer_all();
  transit_->step(clock_.time);  // its hosts are known: the rule asks for its smart host
  ASSERT_FALSE(names_.later.empty());
  bool answered = false;
  EXPECT_TRUE(transit_->orders().hold(id));
  transit_->reload(config_, nullptr);
  transit_->routes().ask(conf::Domain::from_canonical("one.test"),
                         [&](queue::DomainEntry* domain) { answered = domain->route != nullptr; });
  EXPECT_FALSE(answered);
  names_.answer_all();
  run();
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace relay
