// What a reply means for the mail, also after the rules have changed.
#include <gtest/gtest.h>

#include "relay/host/configuration.h"
#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using conf::EventKind;

class TransitReplyTest : public WalkRig {};

// A message to two domains; a rule about the one's refusal says hold.
TEST_F(TransitReplyTest, AHoldOfARuleIsOfThoseRecipientsAloneAlsoAfterARestart) {
  start();
  bounce::ReplyRule rule;
  rule.name = "cellar";
  rule.text = {"cellar is full"};
  rule.act = bounce::Act::kHold;
  config_->defaults.retry.delays.assign(20, 1h);
  transit_->use(bounce::Qualifier::make({rule}, bounce::shipped_reply_rules()));
  server_.to_rcpt = "450 4.2.1 try later";
  server_.to_rcpt_of["a@one.test"] = "451 4.3.0 zzz the cellar is full";
  const conf::MessageId id = submit({"a@one.test", "b@two.test"});
  EXPECT_EQ(transit_->resting().held(), 1U);
  for (const conf::DeliveryEvent& event : events_.of(EventKind::kDeferred)) {
    const bool held = event.recipient == "a@one.test";
    EXPECT_EQ(event.rule == "cellar", held);
    EXPECT_EQ(event.next_attempt == conf::WallTime(), held) << "nobody knows when what is on hold goes on";
  }
  transit_.reset();
  server_.to_rcpt_of.clear();
  server_.to_rcpt = "250 2.1.5 ok";
  start();
  EXPECT_EQ(transit_->resting().held(), 1U) << "the hold outlives the restart";
  pass(2h);
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"b@two.test"});
  EXPECT_TRUE(transit_->orders().release(id));
  run();
  EXPECT_EQ(server_.recipients, (std::vector<std::string>{"b@two.test", "a@one.test"}));
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitReplyTest, RepliesAfterAChangeOfRulesAreReadByTheNewOnes) {
  start();
  server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
  submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  bounce::ReplyRule rule;
  rule.name = "the cellar";
  rule.text = {"cellar is full"};
  rule.type = bounce::ErrorType::kHard;
  rule.act = bounce::Act::kFail;
  transit_->use(bounce::Qualifier::make({rule}, {}));
  run();
  submit({"b@one.test"});
  const std::vector<conf::DeliveryEvent> failed = events_.of(EventKind::kFailed);
  ASSERT_EQ(failed.size(), 2U) << "what waits because of such a reply is tried again at once";
  EXPECT_EQ(failed[1].recipient, "b@one.test");
  EXPECT_EQ(failed[1].rule, "the cellar");
}

TEST_F(TransitReplyTest, MailWhoseRefusalReadsOtherwiseNowIsDueAtOnce) {
  start();
  server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
  submit({"a@one.test"});
  const conf::MessageId held = submit({"h@one.test"});
  EXPECT_TRUE(transit_->orders().hold(held));
  server_.to_rcpt = "451 4.3.0 zzz the attic is full";
  submit({"b@two.test"});
  run();
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 3U);
  server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
  const auto shipped = bounce::Qualifier::make({}, bounce::shipped_reply_rules());
  transit_->use(shipped);
  run();
  EXPECT_EQ(events_.of(EventKind::kDeferred).size(), 3U) << "nothing reads otherwise";
  bounce::ReplyRule rule;
  rule.name = "the cellar";
  rule.text = {"cellar is full"};
  rule.type = bounce::ErrorType::kHard;
  rule.act = bounce::Act::kFail;
  transit_->use(bounce::Qualifier::make({rule}, bounce::shipped_reply_rules()));
  run();
  const std::vector<conf::DeliveryEvent> failed = events_.of(EventKind::kFailed);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].recipient, "a@one.test");
  EXPECT_EQ(events_.of(EventKind::kDeferred).size(), 3U)
      << "what is held, or waits for another reason, rests";
}

// The queue shows such texts without what varies in them; a decision is found by the text itself.
TEST_F(TransitReplyTest, MailIsDueAtOnceByADecisionAboutATextWithPartsThatVary) {
  const std::string words = "450 4.7.9 zzz 203.0.113.105 was seen in 1f7c99ab3000123 by us, case ";
  start();
  server_.to_rcpt = words + "4711";
  submit({"a@one.test"});
  server_.to_rcpt = words + "4712";
  submit({"b@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 2U);
  ASSERT_EQ(transit_->deliveries().last_replies().size(), 1U) << "one text for people";
  bounce::RowVerdict verdict;
  verdict.row = events_.of(EventKind::kDeferred)[0].row;
  ASSERT_NE(verdict.row, 0U);
  verdict.type = bounce::ErrorType::kIgnored;
  transit_->use(bounce::Qualifier::make({}, bounce::shipped_reply_rules(), {verdict}));
  server_.to_rcpt = "250 2.1.5 ok";
  run();
  EXPECT_EQ(server_.recipients, (std::vector<std::string>{"a@one.test", "b@one.test"}));
}

class HeldByARuleTest : public TransitReplyTest {
 protected:
  static std::shared_ptr<const bounce::Qualifier> cellar(bounce::Act act) {
    bounce::ReplyRule rule;
    rule.name = "cellar";
    rule.text = {"cellar is full"};
    rule.act = act;
    rule.act_for = act == bounce::Act::kDefer ? conf::Duration(1min) : conf::Duration(0);
    return bounce::Qualifier::make({rule}, bounce::shipped_reply_rules());
  }
  // Of two messages the second is held by an operator besides.
  void hold_two() {
    start();
    transit_->use(cellar(bounce::Act::kHold));
    run();
    server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
    submit({"a@one.test"});
    server_.to_rcpt_of["c@two.test"] = "450 4.2.1 try later";
    EXPECT_TRUE(transit_->orders().hold(submit({"b@one.test", "c@two.test"})));
    run();
    ASSERT_EQ(transit_->resting().held(), 3U);
  }
};

TEST_F(HeldByARuleTest, IsLetGoWhenTheRuleSaysFailOrDeferNow) {
  hold_two();
  transit_->use(cellar(bounce::Act::kFail));
  run();
  const std::vector<conf::DeliveryEvent> failed = events_.of(EventKind::kFailed);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].recipient, "a@one.test");
  EXPECT_EQ(transit_->resting().held(), 2U) << "what an operator holds, too, is his";
}

TEST_F(HeldByARuleTest, ThatItIsLetGoOutlivesARestart) {
  hold_two();
  transit_->use(cellar(bounce::Act::kDefer));
  run();
  EXPECT_EQ(events_.of(EventKind::kDeferred).size(), 4U);
  EXPECT_EQ(transit_->resting().held(), 2U);
  transit_.reset();
  start();
  EXPECT_EQ(transit_->resting().held(), 2U);
}

TEST_F(HeldByARuleTest, StaysWhenAnOperatorHoldsItTooAlsoAfterARestart) {
  for (const bool restarts : {false, true}) {
    start();
    transit_->use(cellar(bounce::Act::kHold));
    run();
    server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
    const conf::MessageId id = submit({"a@one.test"});
    ASSERT_EQ(transit_->resting().held(), 1U);
    EXPECT_TRUE(transit_->orders().hold(id));
    run();
    if (restarts) {
      transit_.reset();
      start();
      transit_->use(cellar(bounce::Act::kHold));
      run();
    }
    transit_->use(cellar(bounce::Act::kFail));
    run();
    EXPECT_EQ(transit_->resting().held(), 1U) << restarts;
    EXPECT_TRUE(transit_->orders().drop(id, "anna"));
    run();
  }
}

// The bodies of mail that is due are read behind them.
TEST_F(HeldByARuleTest, OfVeryManyTheRecordsAreReadSomeAtATime) {
  start();
  transit_->use(cellar(bounce::Act::kHold));
  run();
  server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
  for (int i = 0; i < 3000; ++i) submit({"a" + std::to_string(i) + "@one.test"});
  ASSERT_EQ(transit_->resting().held(), 3000U);
  transit_->use(cellar(bounce::Act::kFail));
  for (int i = 0; i < 10; ++i) transit_->step(clock_.time);
  EXPECT_GT(spool_.waiting(), 0U);
  EXPECT_LT(spool_.waiting(), 1500U);
  run();
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 3000U);
}

TEST_F(HeldByARuleTest, StaysWhenItsRuleIsNoMore) {
  hold_two();
  transit_->use(bounce::Qualifier::make({}, bounce::shipped_reply_rules()));
  run();
  EXPECT_EQ(transit_->resting().held(), 3U);
}

// A delivery does not know which host refused it: a rule for some hosts may be about it, and is asked.
TEST_F(TransitReplyTest, MailIsDueAtOnceAlsoWhenTheChangedRuleNamesHosts) {
  start();
  server_.to_rcpt = "451 4.3.0 zzz the cellar is full";
  submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  bounce::ReplyRule rule;
  rule.name = "the cellar";
  rule.text = {"cellar is full"};
  rule.mx = {"*"};
  rule.stages = 1U << static_cast<int>(bounce::Stage::kRcpt);
  rule.domains = {"one.test"};
  rule.type = bounce::ErrorType::kHard;
  rule.act = bounce::Act::kFail;
  transit_->use(bounce::Qualifier::make({rule}, bounce::shipped_reply_rules()));
  run();
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
}

TEST_F(TransitReplyTest, AHardThatIsDoubtedIsTriedAgainAndOneThatIsBelievedEnds) {
  start();
  server_.to_rcpt = "550 5.1.1 nobody of that name";
  doubter_.doubting = true;
  submit({"a@one.test"});
  EXPECT_TRUE(events_.of(EventKind::kFailed).empty());
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kDeferred)[0].type, conf::ErrorType::kSoft);
  doubter_.doubting = false;
  pass(15min);
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
  EXPECT_EQ(doubter_.heard, (std::vector<std::string>{"a@one.test 550", "a@one.test 550"}));
}

// A rule of the operator says so, and the outage guard holds it back all the same.
TEST_F(TransitReplyTest, AHardThatIsDoubtedIsKeptAlsoWhenItsRuleSaysFail) {
  start();
  bounce::ReplyRule rule;
  rule.name = "gone";
  rule.text = {"nobody of that name"};
  rule.type = bounce::ErrorType::kHard;
  rule.act = bounce::Act::kFail;
  transit_->use(bounce::Qualifier::make({rule}, bounce::shipped_reply_rules()));
  server_.to_rcpt = "550 5.1.1 nobody of that name";
  doubter_.doubting = true;
  submit({"a@one.test"});
  EXPECT_TRUE(events_.of(EventKind::kFailed).empty());
  EXPECT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
}

// What a restart may tell the quarantine: the words alone do not say whose fault it was.
TEST_F(TransitReplyTest, OnlyARefusalThatIsHardAndAboutTheAddressBlamesIt) {
  config_->defaults.retry.delays.assign(20, 1h);
  start();
  server_.to_rcpt_of["gone@one.test"] = "550 5.1.1 user unknown";
  server_.to_rcpt_of["bad@one.test"] = "554 5.7.1 your IP is on a block list";
  server_.to_rcpt_of["full@one.test"] = "452 4.2.2 mailbox full";
  const conf::MessageId id = submit({"gone@one.test", "bad@one.test", "full@one.test"});
  std::set<std::string> blamed;
  ASSERT_TRUE(spool_
                  .scan([&](const spool::MessageRecord& record) {
                    for (const spool::RecipientRecord& each : record.recipients)
                      if (record.id == id && each.blamed) blamed.insert(each.recipient.mailbox.text());
                    return true;
                  })
                  .ok());
  EXPECT_EQ(blamed, std::set<std::string>{"gone@one.test"});
}

TEST_F(TransitReplyTest, OfALongReplyWholeCharactersAreKept) {
  start();
  for (const std::string first : {"", "x"}) {  // one of the two has a character across the limit
    std::string line = first;
    for (int i = 0; i < 200; ++i) line += "\u00e9";
    server_.to_rcpt = "451-4.3.0 " + line + "\r\n451 4.3.0 " + line;
    submit({"a@one.test"});
  }
  std::vector<std::string> kept;
  ASSERT_TRUE(spool_
                  .scan([&kept](const spool::MessageRecord& record) {
                    kept.push_back(record.recipients.at(0).last_reply);
                    return true;
                  })
                  .ok());
  ASSERT_EQ(kept.size(), 2U);
  for (const std::string& each : kept) {
    EXPECT_GE(each.size(), 511U);
    EXPECT_LE(each.size(), 512U);
    EXPECT_EQ(each.substr(each.size() - 2), "\u00e9");
  }
}

TEST_F(TransitReplyTest, ConfirmedBouncesThatCameBackBlockASiteWhereTheyCount) {
  Configuration read = parse_configuration(R"(hostname = "relay.test"
[[listener]]
address = "127.0.0.1:25"
[mx]
shipped_rules = "off"
[[rule]]
name = "general"
mx = ["*"]
[[rule.threshold]]
error_rate = "50%"
min_messages = 10
block = "1h"
)",
                                           "t.toml");
  ASSERT_NE(read.book, nullptr) << (read.problems.empty() ? "" : read.problems[0].text());
  book_ = read.book;
  start();
  submit({"a@one.test"});
  conf::DeliveryEvent event;
  event.kind = EventKind::kBounced;
  event.recipient = "a@one.test";
  event.source = "default";
  event.type = conf::ErrorType::kHard;
  event.scope = conf::Scope::kRecipient;
  event.reason = conf::Reason::kUserUnknown;
  event.reply = "5.1.1 no such user";
  bool different = true;  // messages
  const auto bounce = [&] {
    for (int i = 0; i < 30; ++i) {
      event.id += different ? 1 : 0;
      journal_.append(event);
    }
    run();
    return events_.of(EventKind::kDecision).size();
  };
  event.confirmed = true;
  EXPECT_EQ(bounce(), 0U) << "count_late is off";
  config_ = std::make_shared<conf::Config>(*config_);
  config_->returns.count_late = true;
  transit_->reload(config_, book_);
  run();
  event.confirmed = false;
  EXPECT_EQ(bounce(), 0U) << "anybody can write a bounce";
  event.confirmed = true;
  different = false;
  EXPECT_EQ(bounce(), 0U) << "one message was refused, and that was said thirty times";
  different = true;
  EXPECT_EQ(bounce(), 1U);
  server_.recipients.clear();
  submit({"a@one.test"});
  EXPECT_TRUE(server_.recipients.empty()) << "the site is blocked";
}

}  // namespace
}  // namespace relay
