// The dispatcher alone; see dispatcher_rig.h.
#include "relay/flow/dispatcher.h"

#include <gtest/gtest.h>

#include "tests/relay/flow/dispatcher_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// As LineTurnsTest has it, for a path that is counted by itself: neither its connection nor a new one begins
// the message, and none is opened for it.
TEST_F(DispatcherTest, AMessageThatFindsNoRoomInMemoryWaitsForIt) {
  messages_.pin_to_send(999, queue::BodySize(900'000), [](const conf::Result<queue::Message*>&) {});
  for (int i = 0; i < 3; ++i) add(1)->size = queue::BodySize(60'000);
  open();
  const size_t opened = network_.users.size();
  step();
  EXPECT_EQ(walk_.asked, 0U);
  EXPECT_EQ(path_->waits.bind(), mx::Bind::kMemory);
  EXPECT_EQ(dispatcher_->next_message(path_).bind, mx::Bind::kMemory);
  EXPECT_GT(dispatcher_->next_wake(), clock_.time);
  EXPECT_TRUE(dispatcher_->neglected().empty());
  add(1);
  step();
  EXPECT_EQ(network_.users.size(), opened);
  spool_.run_batch();  // there is no such message
  spool_.drain_completions();
  clock_.time += 250ms;
  step();
  EXPECT_EQ(walk_.asked, 1U);
}

TEST_F(DispatcherTest, DeliveriesWithNothingToSendAreTakenInALoopNotOneWithinTheOther) {
  for (int i = 0; i < 20'000; ++i) add(0);
  open();
  EXPECT_EQ(walk_.most_deep, 1);
  EXPECT_LT(walk_.asked, 1000U) << "bounded in a step";
  for (int i = 0; i < 1000 && dispatcher_->ready() > 0; ++i) step();
  EXPECT_EQ(dispatcher_->ready(), 0U);
  EXPECT_EQ(walk_.asked, 20'000U);
  EXPECT_EQ(dispatcher_->in_flight(), 0U);
}

TEST_F(DispatcherTest, ADeliveryWithMoreRecipientsStaysOnItsConnection) {
  add(2);
  open();
  EXPECT_NE(network_.sent.find("MAIL FROM:"), std::string::npos);
  for (int round = 0; round < 2; ++round) {
    say("250 ok\r\n");
    say("250 ok\r\n");
    say("354 go\r\n");
    network_.users.back()->on_drained();  // the content has reached the kernel
    say("250 2.0.0 taken\r\n");
  }
  EXPECT_EQ(walk_.reports,
            (std::vector<Report::Kind>{Report::Kind::kTransaction, Report::Kind::kTransaction}))
      << network_.sent;
  EXPECT_EQ(dispatcher_->in_flight(), 0U);
  EXPECT_EQ(network_.users.size(), 1U) << network_.sent;
}

// Twelve that refuse a thousand recipients at the same instant stood before all others for a quarter of a
// second.
TEST_F(DispatcherTest, WhatManyServersSayAtOnceIsHeardInParts) {
  constexpr size_t kServers = 4, kRecipients = 200;
  config_->defaults.max_connections = kServers;
  walk_.recipients = kRecipients;
  for (size_t i = 0; i < kServers; ++i) add(1);
  step();
  ASSERT_EQ(network_.users.size(), kServers);
  for (TransportUser* user : network_.users) {
    user->on_connected();
    user->on_bytes("220 mx.test\r\n");
    user->on_bytes("250-mx.test\r\n250 PIPELINING\r\n");
  }
  step();
  std::string refusals = "250 ok\r\n";
  for (size_t i = 0; i < kRecipients; ++i)
    refusals += "550 5.1.1 nobody has the name " + std::to_string(i) + "\r\n";
  refusals += "554 5.5.1 no recipients\r\n";
  for (TransportUser* user : network_.users) user->on_bytes(refusals);
  EXPECT_EQ(dispatcher_->next_wake(), conf::Instant{}) << "not all of it is heard";
  step();
  for (TransportUser* user : network_.users) user->on_bytes("221 bye\r\n");
  network_.users.back()->on_closed({conf::ErrorCode::kClosed, "gone"});
  size_t before = 0, steps = 0;
  for (; walk_.outcomes.size() < kServers * kRecipients && steps < 10; ++steps) {
    EXPECT_LE(walk_.outcomes.size() - before, 2 * kRecipients);
    EXPECT_EQ(dispatcher_->next_wake(), conf::Instant{});
    before = walk_.outcomes.size();
    step();
  }
  EXPECT_GE(steps, 2U);
  ASSERT_EQ(walk_.outcomes.size(), kServers * kRecipients);
  for (const smtp::RecipientOutcome& outcome : walk_.outcomes)
    EXPECT_EQ(outcome.reply.code, 550) << outcome.reply.text();
  EXPECT_TRUE(walk_.back.empty()) << "the one whose server went was heard before its end";
}

TEST_F(DispatcherTest, AReportCarriesTheMeaningOfTheReply) {
  add(1);
  open();
  say("250 ok\r\n");
  say("451 4.7.1 Gray-listed, come back\r\n");
  ASSERT_EQ(walk_.outcomes.size(), 1U);
  EXPECT_EQ(walk_.outcomes[0].meaning.type, bounce::ErrorType::kSoft);
  EXPECT_EQ(walk_.outcomes[0].meaning.pace, bounce::Pace::kSame);
}

TEST_F(DispatcherTest, OfAReplySoMuchIsKeptAsTheConfigurationSays) {
  const auto kept = [this] {
    add(1);
    step();
    if (network_.users.size() > walk_.outcomes.size()) greet();
    say("250 ok\r\n");
    say("550-5.1.1 " + std::string(3000, 'x') + "\r\n550 5.1.1 no such user\r\n");
    step();
    return walk_.outcomes.empty() ? 0 : walk_.outcomes.back().reply.text().size();
  };
  EXPECT_EQ(kept(), 2048U);
  auto changed = std::make_shared<conf::Config>(*config_);
  changed->replies.max_text_octets = 600;
  dispatcher_->reload(changed);
  network_.users.back()->on_closed({conf::ErrorCode::kIo, "reset"});
  EXPECT_EQ(kept(), 600U);
}

TEST_F(DispatcherTest, AnErrandThatComesAfterItsConnectionWentIsGivenBack) {
  walk_.answers_later = true;
  queue::Delivery* delivery = add(1);
  open();
  ASSERT_EQ(walk_.laters.size(), 1U);
  network_.users.back()->on_closed({conf::ErrorCode::kIo, "reset"});
  step();
  EXPECT_TRUE(walk_.back.empty()) << "it is still being fetched";
  EXPECT_EQ(dispatcher_->in_flight(), 1U);
  delivery->move_to(queue::DeliveryState::kSending);
  walk_.laters.front()(ScriptedWalk::an_errand());
  EXPECT_EQ(walk_.back, (std::vector<queue::Delivery*>{delivery}));
  EXPECT_EQ(walk_.reports.back(), Report::Kind::kReleased);
  EXPECT_EQ(dispatcher_->in_flight(), 0U);
}

// As when a reload lowers the limit while it rests: kept, it would say for the whole path that nothing may
// go.
TEST_F(DispatcherTest, ARestingConnectionThatSentAllItMaySaysQuitAndAnotherIsOpened) {
  add(1);
  open();
  say("250 ok\r\n");
  say("250 ok\r\n");
  say("354 go\r\n");
  network_.users.back()->on_drained();
  say("250 2.0.0 taken\r\n");
  ASSERT_EQ(path_->connections.idle().size(), 1U);
  auto limits = std::make_shared<mx::PathLimits>(*path_->limits);
  limits->max_messages_per_connection = 1;
  path_->limits = limits;
  add(1);
  step();
  EXPECT_NE(network_.sent.find("QUIT\r\n"), std::string::npos) << network_.sent;
  EXPECT_TRUE(path_->connections.idle().empty());
  step();
  EXPECT_EQ(network_.users.size(), 2U) << "the mail goes over another";
}

// A rate that lets one message go at a time, and a receiver that takes long over each.
TEST_F(DispatcherTest, WhileAConnectionIsBusyAnotherIsOpenedWhenTheRateAllowsTheNextMessage) {
  auto limits = std::make_shared<mx::PathLimits>(*path_->limits);
  limits->rate = {60, 1min, 1};
  path_->limits = limits;
  sites_->traffic(path_, "")->set(*limits);
  lease_.renewed(clock_.time);
  for (int i = 0; i < 3; ++i) add(1);
  open();
  EXPECT_EQ(network_.users.size(), 1U);
  step();
  EXPECT_EQ(network_.users.size(), 1U) << "the next message may go in a second";
  clock_.time += 2s;
  step();
  EXPECT_EQ(network_.users.size(), 2U);
}

TEST_F(DispatcherTest, AReceiverThatIsSilentIsToldAfterTenSecondsAndOnce) {
  for (const bool connects : {false, true}) {
    troubles_.clear();
    path_->connections.begins(clock_.time);  // one that got ready, and ended
    path_->connections.gets_ready(clock_.time);
    path_->connections.ends(true);
    add(1);
    step();
    ASSERT_FALSE(network_.users.empty());
    if (connects) network_.users.back()->on_connected();
    clock_.time += 9s;
    step();
    EXPECT_TRUE(troubles_.empty());
    EXPECT_LE(dispatcher_->next_wake(), clock_.time + 1s);
    clock_.time += 1s;
    for (int i = 0; i < 3; ++i) step();
    ASSERT_EQ(troubles_.size(), 1U);
    EXPECT_NE(troubles_[0].find(connects ? "connected, and not ready" : "no connection after 10 s"),
              std::string::npos);
  }
}

TEST_F(DispatcherTest, AHostWhoseTurnHasJustComeIsNotBlamedForTheOnesBeforeIt) {
  route_by({{"one.test", 10, 25, {"127.0.0.1"}}, {"two.test", 20, 25, {"127.0.0.2"}}});
  add(1);
  step();
  ASSERT_EQ(network_.users.size(), 1U);
  clock_.time += 8s;
  network_.users.back()->on_closed({conf::ErrorCode::kIo, "reset"});
  step();
  ASSERT_EQ(network_.users.size(), 2U);
  clock_.time += 2s;
  step();
  ASSERT_EQ(troubles_.size(), 1U);
  EXPECT_EQ(troubles_[0],
            ": no connection is ready for mail after 10 s, with several hosts tried; its mail waits");
}

TEST_F(DispatcherTest, AReceiverThatIsSilentIsToldWhenTheConnectionsThatWorkedAreGone) {
  add(1);
  open();
  add(1);
  add(1);
  step();
  ASSERT_GT(network_.users.size(), 1U);
  clock_.time += 5s;
  network_.users.front()->on_bytes("250 ok\r\n");
  clock_.time += 5s;
  step();
  EXPECT_TRUE(troubles_.empty()) << "another one works";
  network_.users.front()->on_closed({conf::ErrorCode::kIo, "reset"});
  clock_.time += 10s;
  step();
  EXPECT_EQ(troubles_.size(), 1U);
}

TEST_F(DispatcherTest, AReceiverThatAnswersInTimeIsNoTrouble) {
  add(1);
  open();
  for (const char* reply : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 ok\r\n"}) {
    clock_.time += 9s;
    step();
    say(reply);
  }
  clock_.time += 11s;
  step();
  EXPECT_TRUE(troubles_.empty());
}

TEST_F(DispatcherTest, AMassExpiryLooksAtEachDeliveryOnce) {
  path_->counters.standing->block_by_rule(clock_.time + 10h, "test", clock_.time);
  constexpr size_t kCount = 20'000;
  for (size_t i = 0; i < kCount; ++i) add(1);
  walk_.expiring = kCount / 2;
  path_->first_expiry = clock_.time + 5min;
  step();
  clock_.time += 6min;
  walk_.looks = 0;
  size_t most = 0;
  for (int i = 0; i < 1000 && walk_.back.size() < kCount / 2; ++i) {
    const size_t before = walk_.looks;
    step();
    most = std::max(most, walk_.looks - before);
    clock_.time += 10ms;
  }
  EXPECT_EQ(walk_.back.size(), kCount / 2);
  EXPECT_LE(most, 4096U) << "bounded in a step";
  for (int i = 0; i < 100; ++i, clock_.time += 10ms) step();
  EXPECT_EQ(walk_.looks, kCount) << "one round, not one for each part";
  EXPECT_EQ(dispatcher_->ready(), kCount / 2);
}

// While results cannot be written down nothing is sent and nothing expires: nothing is to be looked at.
TEST_F(DispatcherTest, APauseIsNotPolledForMailWhoseTimeIsOver) {
  walk_.expiring = 1;
  add(1);
  path_->first_expiry = clock_.time + 5min;
  dispatcher_->pause(true);
  step();
  clock_.time += 6min;
  for (int i = 0; i < 3; ++i) step();
  EXPECT_EQ(dispatcher_->next_wake(), conf::kNever);
  EXPECT_TRUE(walk_.back.empty());
  dispatcher_->pause(false);
  for (int i = 0; i < 3; ++i) step();
  EXPECT_EQ(walk_.back.size(), 1U) << "it expires when the pause is over";
}

// Long before its timeouts: once, with the command that it is silent to.
TEST_F(DispatcherTest, AReceiverThatIsSilentToAMessageIsToldAndKnown) {
  queue::Delivery* first = add(1);
  open();
  ASSERT_EQ(first->state, queue::DeliveryState::kSending);
  const auto wait = [this](int steps) {
    for (int i = 0; i < steps; ++i) {
      clock_.time += 1s;
      step();
    }
  };
  wait(9);
  EXPECT_EQ(path_->connections.silence(), nullptr);
  wait(6);
  ASSERT_NE(path_->connections.silence(), nullptr);
  EXPECT_EQ(path_->connections.silence()->stage, bounce::Stage::kMail);
  EXPECT_EQ(path_->connections.silence()->since, clock_.time - 15s);
  ASSERT_EQ(troubles_.size(), 1U);
  EXPECT_EQ(troubles_[0], "mx.test: no reply after 10 s; the message waits for it until it times out");
  wait(60);
  EXPECT_EQ(troubles_.size(), 1U) << "told once";
  say("250 ok\r\n");
  say("250 ok\r\n");
  say("354 go\r\n");
  say("250 ok\r\n");
  EXPECT_EQ(path_->connections.silence(), nullptr);
}

}  // namespace
}  // namespace relay
