// Orders that keep the mail of a stream back.
#include "relay/desk/stream_orders.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "relay/desk/limit_orders.h"
#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using queue::DeliveryState;

class StreamOrdersTest : public WalkRig {
 protected:
  StreamOrdersTest() {
    config_->sources[0].id = 1;
    config_->streams = {stream("news"), stream("bills")};
    begin();
  }
  ~StreamOrdersTest() override { limits_.reset(); }
  static conf::Stream stream(const std::string& name) {
    conf::Stream made;
    made.name = name;
    made.senders = {name + ".test"};
    made.sources = conf::SourceSet::parse("1").value();
    return made;
  }
  void begin() {
    limits_.reset();
    start();
    limits_ = std::make_unique<LimitOrders>(transit_.get(), &spool_);
  }
  static admin::MxOrder of_stream(admin::MxAction action, const std::string& name) {
    admin::MxOrder order;
    order.action = action;
    order.stream = name;
    order.who = "anna";
    return order;
  }
  admin::MxOrderDone carry_out(const admin::MxOrder& order) {
    std::optional<admin::MxOrderDone> heard;
    limits_->carry_out(order, [&heard](admin::MxOrderDone done) { heard = std::move(done); });
    for (int i = 0; i < 100 && !heard; ++i) limits_->step(clock_.time);
    EXPECT_TRUE(heard.has_value());
    run();
    return heard.value_or(admin::MxOrderDone());
  }
  admin::MxOrderDone block(const std::string& name, conf::Duration time = {}) {
    admin::MxOrder order = of_stream(admin::MxAction::kBlock, name);
    order.block_for = time;
    return carry_out(order);
  }
  admin::MxOrderDone lift(const std::string& name) {
    return carry_out(of_stream(admin::MxAction::kUnblock, name));
  }
  // A message to two, of whom one has been sent to.
  void send_in_part() {
    config_->defaults.max_recipients_per_transaction = 1;
    begin();
    names_.slow = true;
    submit({"a@one.test", "b@one.test"}, "x@news.test");
    names_.slow = false;
    names_.answer_all();
    for (int i = 0; i < 100 && server_.recipients.empty(); ++i) {
      spool_.run_batch();
      transit_->step(clock_.time);
      server_.work();
    }
  }
  using Names = std::vector<std::string>;

  std::unique_ptr<LimitOrders> limits_;
};

TEST_F(StreamOrdersTest, KeepsTheMailOfItsStreamBackUntilItIsLiftedAndNoOther) {
  const admin::MxOrderDone done = block("news");
  EXPECT_EQ(done.streams, Names{"news"});
  EXPECT_EQ(done.messages, 0U);
  EXPECT_TRUE(done.also_later);
  submit({"a@one.test", "a@two.test"}, "x@news.test");
  submit({"b@one.test"}, "x@bills.test");
  submit({"c@one.test"}, "x@other.test");
  EXPECT_EQ(server_.recipients, (Names{"b@one.test", "c@one.test"}));
  EXPECT_EQ(transit_->resting().paused(), 2U);
  EXPECT_TRUE(transit_->neglected().empty());
  pass(24h);
  EXPECT_EQ(transit_->resting().paused(), 2U);
  const admin::MxOrderDone lifted = lift("news");
  EXPECT_TRUE(lifted.lifted);
  EXPECT_EQ(lifted.messages, 1U) << "a message, whatever its deliveries";
  EXPECT_EQ(server_.recipients, (Names{"b@one.test", "c@one.test", "a@one.test", "a@two.test"}));
  EXPECT_EQ(transit_->resting().paused(), 0U);
}

TEST_F(StreamOrdersTest, WhatWaitsOnAPathLeavesItAndTheOthersGoOn) {
  admin::MxOrder site;
  site.site = "mx.one.test";
  carry_out(site);
  path_to("one.test");
  for (int i = 0; i < 3; ++i) submit({"n" + std::to_string(i) + "@one.test"}, "x@news.test");
  submit({"b@one.test"}, "x@bills.test");
  ASSERT_EQ(path_to("one.test")->ready.size(), 4U);
  EXPECT_EQ(block("news").messages, 3U);
  EXPECT_EQ(path_to("one.test")->ready.size(), 1U);
  EXPECT_EQ(transit_->resting().paused(), 3U);
  site.action = admin::MxAction::kUnblock;
  carry_out(site);
  EXPECT_EQ(server_.recipients, Names{"b@one.test"});
  lift("news");
  std::ranges::sort(server_.recipients);
  EXPECT_EQ(server_.recipients, (Names{"b@one.test", "n0@one.test", "n1@one.test", "n2@one.test"}));
}

TEST_F(StreamOrdersTest, MailOfManyDomainsLeavesItsPathsInSeveralSteps) {
  admin::MxOrder all;
  all.all = true;
  carry_out(all);
  Names to;
  for (int i = 0; i < 40; ++i) to.push_back("a@d" + std::to_string(i) + ".test");
  for (int i = 0; i < 20; ++i) submit(to, "x@news.test");
  ASSERT_EQ(transit_->dispatcher().ready(), 800U);
  bool over = false;
  limits_->carry_out(of_stream(admin::MxAction::kBlock, "news"),
                     [&over](const admin::MxOrderDone& done) { over = done.messages == 20; });
  EXPECT_LT(transit_->resting().paused(), 400U) << "a step that takes all would stop the loop";
  for (int i = 0; i < 100 && !over; ++i) limits_->step(clock_.time);
  EXPECT_TRUE(over);
  EXPECT_EQ(transit_->resting().paused(), 800U);
}

// The round over the queue takes a while where much is queued.
TEST_F(StreamOrdersTest, WhatComesToItsTurnBeforeItWasTakenOffItsPathIsPutOff) {
  admin::MxOrder site;
  site.site = "mx.one.test";
  carry_out(site);
  path_to("one.test");
  submit({"a@one.test"}, "x@news.test");
  submit({"b@one.test"}, "x@bills.test");
  transit_->hold_streams({{"news", conf::kNever}});
  ASSERT_EQ(path_to("one.test")->ready.size(), 2U);
  site.action = admin::MxAction::kUnblock;
  limits_->carry_out(site, [](const admin::MxOrderDone&) {});
  transit_->hold_streams({{"news", conf::kNever}});  // no order is in the book
  run();
  EXPECT_EQ(server_.recipients, Names{"b@one.test"});
  EXPECT_EQ(transit_->resting().paused(), 1U);
  transit_->hold_streams({});
  run();
  EXPECT_EQ(server_.recipients, (Names{"b@one.test", "a@one.test"}));
}

TEST_F(StreamOrdersTest, WhatIsSentInPartIsSettledAndTheRestWaits) {
  send_in_part();
  ASSERT_EQ(server_.recipients, Names{"a@one.test"});
  block("news");
  EXPECT_EQ(server_.recipients, Names{"a@one.test"});
  EXPECT_EQ(transit_->resting().paused(), 1U);
  EXPECT_EQ(events_.of(conf::EventKind::kDelivered).size(), 1U);
  lift("news");
  EXPECT_EQ(server_.recipients, (Names{"a@one.test", "b@one.test"}));
}

// Whose connection may send no more.
TEST_F(StreamOrdersTest, TheRestOfAMessageDoesNotGoBackToItsPath) {
  send_in_part();
  ASSERT_EQ(server_.recipients, Names{"a@one.test"});
  admin::MxOrder all;
  all.all = true;
  transit_->hold_streams({{"news", conf::kNever}});
  limits_->carry_out(all, [](const admin::MxOrderDone&) {});
  transit_->hold_streams({{"news", conf::kNever}});  // no order is in the book
  run();
  EXPECT_EQ(transit_->resting().paused(), 1U);
  EXPECT_EQ(transit_->dispatcher().ready(), 0U);
}

TEST_F(StreamOrdersTest, EndsByItselfAtItsTime) {
  block("news", 1h);
  submit({"a@one.test"}, "x@news.test");
  EXPECT_EQ(transit_->next_wake(), clock_.time + 1h);
  pass(1h - 1s);
  EXPECT_TRUE(server_.recipients.empty());
  pass(1s);
  EXPECT_EQ(server_.recipients, Names{"a@one.test"});
}

TEST_F(StreamOrdersTest, ThatItIsOverIsToldLikeItsBegin) {
  block("news", 1h);
  for (int i = 0; i < 10; ++i) limits_->step(clock_.time);
  EXPECT_EQ(limits_->next_wake(), clock_.time + 1h);
  pass(1h);
  limits_->step(clock_.time);
  const std::vector<conf::DeliveryEvent> told = events_.of(conf::EventKind::kDecision);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].stream, "news");
  EXPECT_EQ(told[1].decision->action, conf::DecisionAction::kUnblock);
  EXPECT_EQ(told[1].decision->text, "the order is over");
  EXPECT_EQ(told[1].decision->by, "operator anna");
  EXPECT_TRUE(told[1].decision->ordered);
}

TEST_F(StreamOrdersTest, ThatItEndedWhileTheRelayWasDownIsToldOnce) {
  block("news", 1h);
  for (int i = 0; i < 2; ++i) {
    transit_->close();
    clock_.time += 2h;
    begin();
    limits_->step(clock_.time);
    run();
    EXPECT_EQ(events_.of(conf::EventKind::kDecision).size(), 2U) << "its begin and its end";
  }
}

TEST_F(StreamOrdersTest, OfSeveralOrdersTheOneThatEndsLastCounts) {
  block("n*", 2h);
  block("news", 1h);
  submit({"a@one.test"}, "x@news.test");
  const admin::MxOrderDone lifted = lift("news");
  EXPECT_TRUE(lifted.lifted);
  EXPECT_EQ(lifted.held, 1U);
  EXPECT_TRUE(server_.recipients.empty());
  EXPECT_TRUE(lift("n*").lifted);
  EXPECT_EQ(server_.recipients, Names{"a@one.test"});
}

TEST_F(StreamOrdersTest, MailEndsWhenItsValidityDoesThoughTheOrderGoesOn) {
  config_->defaults.retry.validity = 2h;
  begin();
  block("news");
  submit({"a@one.test"}, "x@news.test");
  pass(1h);
  submit({"b@one.test"}, "x@news.test");
  pass(1h - 1s);
  EXPECT_TRUE(events_.of(conf::EventKind::kExpired).empty());
  pass(1s);
  const std::vector<conf::DeliveryEvent> ended = events_.of(conf::EventKind::kExpired);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].recipient, "a@one.test");
  EXPECT_EQ(ended[0].enhanced_status, "4.4.7");
  EXPECT_NE(ended[0].reply.find("the end of an order on its stream"), std::string::npos) << ended[0].reply;
  EXPECT_EQ(transit_->resting().paused(), 1U);
  EXPECT_EQ(transit_->next_wake(), clock_.time + 1h);
  lift("news");
  EXPECT_EQ(server_.recipients, (Names{"x@news.test", "b@one.test"}))
      << "the report, and what was still good";
  EXPECT_EQ(spool_.message_count(), 0U);
}

// The path that it would take is not known while it rests.
TEST_F(StreamOrdersTest, MailOfAnOrderKeepsTheLongestValidityThatARuleMayGiveIt) {
  config_->defaults.retry.validity = 2h;
  config_->rules.emplace_back();
  config_->rules[0].fields.validity = conf::RuleField<conf::Duration>::set(3h);
  begin();
  block("news");
  submit({"a@one.test"}, "x@news.test");
  pass(3h - 1s);
  EXPECT_EQ(transit_->resting().paused(), 1U);
  pass(1s);
  EXPECT_EQ(events_.of(conf::EventKind::kExpired).size(), 1U);
}

TEST_F(StreamOrdersTest, VeryManyThatEndTogetherGoInParts) {
  config_->defaults.retry.validity = 2h;
  begin();
  block("news");
  for (int i = 0; i < 600; ++i) submit({"a@d" + std::to_string(i) + ".test"}, "x@news.test");
  clock_.time += 2h;
  transit_->step(clock_.time);
  EXPECT_EQ(transit_->resting().paused(), 344U) << "each needs its record";
  for (int i = 0; i < 3; ++i) pass(1ms);
  EXPECT_EQ(transit_->resting().paused(), 0U);
  EXPECT_EQ(events_.of(conf::EventKind::kExpired).size(), 600U);
}

// It leaves memory where that is wanted.
TEST_F(StreamOrdersTest, WhatIsPausedKeepsItsSignature) {
  config_->spool.body_memory_bytes = 10'000;
  begin();
  signer_.good = 2;
  admin::MxOrder all;
  all.all = true;
  carry_out(all);
  submit({"a@one.test"}, "x@news.test");
  block("news");
  ASSERT_EQ(transit_->resting().paused(), 1U);
  all.action = admin::MxAction::kUnblock;
  carry_out(all);
  submit({"b@two.test"}, "x@bills.test", conf::kNotifyDefault,
         "Subject: x\r\n\r\n" + std::string(20'000, 'x') + "\r\n");
  ASSERT_EQ(signer_.good, 0);
  server_.wire.clear();
  lift("news");
  EXPECT_EQ(std::ranges::count(server_.recipients, "a@one.test"), 1);
  EXPECT_NE(server_.wire.find("DKIM-Signature: x"), std::string::npos) << "the one that it had";
}

TEST_F(StreamOrdersTest, OutlivesARestart) {
  block("news", 1h);
  submit({"a@one.test"}, "x@news.test");
  transit_->close();
  begin();
  run();
  EXPECT_EQ(transit_->resting().paused(), 1U);
  submit({"b@one.test"}, "x@news.test");
  EXPECT_TRUE(server_.recipients.empty());
  const std::vector<admin::OrderView> orders = limits_->in_force();
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(orders[0].order.stream, "news");
  EXPECT_EQ(orders[0].order.who, "anna");
  pass(1h);
  EXPECT_EQ(server_.recipients.size(), 2U);
}

TEST_F(StreamOrdersTest, AnOlderVersionReadsTheOrdersOnPathsStill) {
  admin::MxOrder all;
  all.all = true;
  carry_out(all);
  block("news", 1h);
  const conf::Result<std::string> kept = spool_.kept_value(CounterKeeper::kOrdersKey);
  ASSERT_TRUE(kept.ok());
  std::istringstream lines(kept.value());
  std::vector<ptrdiff_t> fields;  // it wants eight, and passes over lines that have others
  for (std::string line; std::getline(lines, line);) fields.push_back(std::ranges::count(line, '\t') + 1);
  std::ranges::sort(fields);
  EXPECT_EQ(fields, (std::vector<ptrdiff_t>{8, 9}));
}

TEST_F(StreamOrdersTest, HoldsStreamsThatAreYetToCome) {
  block("*s");
  auto next = std::make_shared<conf::Config>(*config_);
  next->streams = {stream("ads"), stream("bills2")};
  config_ = next;
  transit_->reload(config_, book_);
  run();
  submit({"a@one.test"}, "x@ads.test");
  submit({"b@one.test"}, "x@bills2.test");
  EXPECT_EQ(server_.recipients, Names{"b@one.test"});
}

TEST_F(StreamOrdersTest, ScheduledMailWaitsForItsTimeAndThenForTheOrder) {
  refuse_for_now();
  submit({"a@one.test"}, "x@news.test");
  server_.to_rcpt = "250 ok";
  block("news");
  EXPECT_EQ(transit_->resting().scheduled(), 1U);
  pass(2h);
  EXPECT_EQ(transit_->resting().paused(), 1U);
  EXPECT_TRUE(server_.recipients.empty());
  lift("news");
  EXPECT_EQ(server_.recipients, Names{"a@one.test"});
}

TEST_F(StreamOrdersTest, WhatIsPausedIsHeldDroppedAndTriedAsOrdered) {
  block("news");
  const conf::MessageId held = submit({"held@one.test"}, "x@news.test");
  const conf::MessageId dropped = submit({"dropped@one.test"}, "x@news.test");
  const conf::MessageId tried = submit({"tried@one.test"}, "x@news.test");
  EXPECT_TRUE(transit_->orders().hold(held));
  EXPECT_TRUE(transit_->orders().drop(dropped, "anna"));
  EXPECT_TRUE(transit_->orders().retry(tried));
  run();
  EXPECT_EQ(transit_->resting().held(), 1U);
  EXPECT_EQ(transit_->resting().paused(), 1U) << "what is tried waits for the order";
  lift("news");
  EXPECT_EQ(server_.recipients, Names{"tried@one.test"});
  EXPECT_TRUE(transit_->orders().release(held));
  run();
  EXPECT_EQ(server_.recipients.back(), "held@one.test");
}

TEST_F(StreamOrdersTest, AQuestionCountsAndChangesNothing) {
  names_.slow = true;
  submit({"a@one.test"}, "x@news.test");
  admin::MxOrder question = of_stream(admin::MxAction::kBlock, "n*");
  question.dry_run = true;
  const admin::MxOrderDone counted = carry_out(question);
  EXPECT_EQ(counted.streams, Names{"news"});
  EXPECT_EQ(counted.messages, 1U);
  EXPECT_TRUE(limits_->in_force().empty());
  EXPECT_TRUE(events_.of(conf::EventKind::kDecision).empty());
}

TEST_F(StreamOrdersTest, ANameThatNoStreamHasIsRefused) {
  EXPECT_EQ(block("newz").problem, "no [[stream]] is named \"newz\"; did you mean \"news\"?");
  EXPECT_TRUE(limits_->in_force().empty());
}

TEST_F(StreamOrdersTest, WhoOrderedStandsInTheLog) {
  block("news", 1h);
  submit({"a@one.test"}, "x@news.test");
  lift("news");
  const std::vector<conf::DeliveryEvent> told = events_.of(conf::EventKind::kDecision);
  ASSERT_EQ(told.size(), 2U);
  for (const conf::DeliveryEvent& event : told) {
    EXPECT_EQ(event.stream, "news");
    EXPECT_EQ(event.decision->by, "operator anna");
    EXPECT_TRUE(event.decision->ordered);
  }
  EXPECT_EQ(told[0].decision->action, conf::DecisionAction::kBlock);
  EXPECT_EQ(told[0].decision->text, "ordered by anna: nothing of the stream is sent for 1 h");
  EXPECT_EQ(told[1].decision->action, conf::DecisionAction::kUnblock);
  const std::vector<conf::DeliveryEvent> kept = events_.of(conf::EventKind::kDeferred);
  ASSERT_EQ(kept.size(), 1U) << "once for each message";
  EXPECT_EQ(kept[0].reply, "its stream is blocked by an operator; see the block event of stream \"news\"");
}

}  // namespace
}  // namespace relay
