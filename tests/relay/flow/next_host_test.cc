// Which host of a domain is tried next, and what is remembered of the one before (RFC 5321 §5.1).
#include <gtest/gtest.h>

#include "tests/relay/flow/dispatcher_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using Kind = smtp::RecipientOutcome::Kind;

class NextHost : public DispatcherTest {
 protected:
  NextHost() { route_by({{"best.test", 5, 25, {"127.0.0.1"}}, {"backup.test", 10, 25, {"127.0.0.2"}}}); }

  // The walk gives a delivery back that was not tried, as the real one does.
  void again(queue::Delivery* delivery) {
    walk_.left[delivery] = 1;
    dispatcher_->add_first(delivery);
    step();
  }
  // A message, at a time when what was learnt before is forgotten.
  queue::Delivery* add_later(conf::Duration later) {
    walk_.outcomes.clear();
    network_.places.clear();
    clock_.time += later;
    return add(1);
  }
  // It was not tried at the best host, and the other one takes it.
  void expect_taken_by_the_next(queue::Delivery* delivery, const std::string& why) {
    ASSERT_EQ(walk_.outcomes.size(), 1U) << why;
    EXPECT_EQ(walk_.outcomes[0].kind, Kind::kNotTried) << why;
    again(delivery);
    ASSERT_EQ(network_.places, (std::vector<std::string>{"127.0.0.1", "127.0.0.2"})) << why;
    greet();
    take_mail();
    EXPECT_EQ(walk_.outcomes.back().kind, Kind::kDelivered) << why;
    say("221 bye\r\n");
    step();
  }
  void say_all(std::initializer_list<const char*> replies) {
    for (const char* reply : replies) say(std::string(reply) + "\r\n");
  }
  void take_mail() {
    say_all({"250 ok", "250 ok", "354 go"});
    network_.users.back()->on_drained();
    say("250 2.0.0 taken\r\n");
  }
};

TEST_F(NextHost, AFourYzOfTheHostsOwnTroubleLeadsToTheNextHost) {
  const std::vector<std::vector<const char*>> dialogs = {
      {"452 4.3.1 insufficient system storage"},
      {"250 ok", "451 4.3.0 local error in processing"},
      {"250 ok", "250 ok", "451 4.3.0 queue file write error"},
      {"250 ok", "250 ok", "354 go", "451 disk full"},
  };
  for (const auto& dialog : dialogs) {
    queue::Delivery* delivery = add_later(2min);
    open();
    for (const char* reply : dialog) {
      say(std::string(reply) + "\r\n");
      network_.users.back()->on_drained();
    }
    expect_taken_by_the_next(delivery, dialog.back());
  }
  EXPECT_EQ(troubles_.size(), dialogs.size()) << "each is told once";
  EXPECT_NE(troubles_[0].find("best.test: the next host is tried: 452"), std::string::npos) << troubles_[0];
}

// RFC 5321 §3.8 closes the channel, and says nothing of our pace by itself.
TEST_F(NextHost, A421OfTheHostsOwnTroubleLeadsToTheNextHost) {
  for (const char* reply : {"421 Service not available, closing transmission channel",
                            "421 4.3.2 load too high", "421 4.3.0 out of resources", "421", "421 4.3.0",
                            "421 4.4.2", "421 best.test", "421 best.test closing connection"}) {
    for (int taken = 0; taken < 4; ++taken) {
      queue::Delivery* delivery = add_later(2min);
      open();
      for (int i = 0; i < taken; ++i) say(i == 2 ? "354 go\r\n" : "250 ok\r\n");
      if (taken == 3) network_.users.back()->on_drained();
      say(std::string(reply) + "\r\n");
      expect_taken_by_the_next(delivery, reply);
    }
  }
}

// The end of the connection, silence, what is no reply, and 503, before the content has gone.
TEST_F(NextHost, ASessionThatBreaksLeadsToTheNextHost) {
  const std::vector<std::vector<const char*>> dialogs = {{}, {"250 ok"}, {"250 ok", "250 ok"}};
  const std::vector<const char*> ends = {"eof", "silence", "what is this", "503 5.0.0 need MAIL"};
  for (const auto& dialog : dialogs) {
    for (const std::string end : ends) {
      queue::Delivery* delivery = add_later(12h);  // a host that was silent for an hour is left for less
      open();
      for (const char* reply : dialog) say(std::string(reply) + "\r\n");
      if (end == "eof") {
        network_.users.back()->on_closed({conf::ErrorCode::kIo, "gone"});
      } else if (end == "silence") {
        clock_.time += 1h;
        network_.users.back()->on_deadline();
      } else {
        say(end + "\r\n");
      }
      expect_taken_by_the_next(delivery, end + " after " + std::to_string(dialog.size()));
    }
  }
}

TEST_F(NextHost, WhatIsTheSameAtAllHostsWaits) {
  bool fresh = true;  // a connection is wanted
  for (const char* reply : {"451 4.7.1 Greylisted, try again in 5 minutes", "452 4.2.2 mailbox full",
                            "450 4.7.0 too many messages, slow down", "450 4.2.1 mailbox disabled",
                            "450 4.7.25 no reverse name", "550 5.1.1 no such user"}) {
    walk_.outcomes.clear();
    clock_.time += 1h;  // a pause that was asked for is over
    add(1);
    if (fresh) {
      open();
    } else {
      step();
      say("250 reset\r\n");
    }
    say_all({"250 ok", reply});
    ASSERT_EQ(walk_.outcomes.size(), 1U) << reply;
    EXPECT_EQ(walk_.outcomes[0].kind, Kind::kRefused) << reply;
    fresh = walk_.outcomes[0].meaning.pace == bounce::Pace::kSlower;  // it is left then
    if (fresh) say("221 bye\r\n");
  }
  EXPECT_TRUE(troubles_.empty());
  EXPECT_EQ(std::ranges::count(network_.places, "127.0.0.2"), 0);
}

TEST_F(NextHost, WhenNoHostIsWellTheReplyStands) {
  queue::Delivery* delivery = add(1);
  open();
  say("452 4.3.1 insufficient system storage\r\n");
  again(delivery);
  greet();
  say("452 4.3.1 insufficient system storage\r\n");
  ASSERT_EQ(walk_.outcomes.size(), 2U);
  EXPECT_EQ(walk_.outcomes[0].kind, Kind::kNotTried);
  EXPECT_EQ(walk_.outcomes[1].kind, Kind::kRefused) << "both are sick: it is deferred, not sent round";
  EXPECT_EQ(network_.places.size(), 2U);
}

TEST_F(NextHost, AHostThatTookAnotherRecipientOfTheMessageIsNotSick) {
  queue::Delivery* delivery = add(2);
  open();
  take_mail();
  say_all({"250 ok", "250 ok", "354 go"});
  network_.users.back()->on_drained();
  say("250 2.0.0 taken\r\n");
  EXPECT_EQ(walk_.outcomes.size(), 2U);
  EXPECT_EQ(walk_.left[delivery], 0);
  EXPECT_TRUE(troubles_.empty());
}

TEST_F(NextHost, TheBestHostIsTriedAgainAfterAMinute) {
  queue::Delivery* delivery = add(1);
  open();
  say("452 4.3.1 insufficient system storage\r\n");
  again(delivery);
  greet();
  take_mail();
  clock_.time += 61s;
  add(1);
  step();
  EXPECT_EQ(network_.places.back(), "127.0.0.1");
}

TEST_F(NextHost, AHostThatGoesDownInTheMiddleLeavesItsMailToTheNext) {
  queue::Delivery* delivery = add(1);
  open();
  say("421 4.3.2 shutting down\r\n");
  again(delivery);
  EXPECT_EQ(network_.places.back(), "127.0.0.2");
}

TEST_F(NextHost, ARefusedStartTlsIsToldOfAndLeftOut) {
  config_->defaults.tls = conf::TlsMode::kOpportunistic;
  add(1);
  step();
  network_.users.back()->on_connected();
  say_all({"220 best.test", "250-best.test\r\n250 STARTTLS", "454 4.7.0 TLS not available"});
  ASSERT_EQ(troubles_.size(), 1U);
  EXPECT_EQ(troubles_[0], "best.test: STARTTLS was refused: 4.7.0 TLS not available; it goes in clear");
}

TEST_F(NextHost, TlsThatFailsIsLeftOutForAWhileAndTold) {
  config_->defaults.tls = conf::TlsMode::kOpportunistic;
  add(1);
  step();
  network_.users.back()->on_connected();
  say_all({"220 best.test", "250-best.test\r\n250 STARTTLS", "220 go"});
  network_.users.back()->on_tls(TlsInfo{"TLSv1.3", "x", true, false});
  network_.users.back()->on_closed({conf::ErrorCode::kIo, "certificate required"});
  ASSERT_EQ(network_.places, (std::vector<std::string>{"127.0.0.1", "127.0.0.1"}))
      << "the same host in clear";
  EXPECT_TRUE(troubles_.empty()) << "perhaps the host is down, and TLS has nothing to do with it";
  greet();
  ASSERT_EQ(troubles_.size(), 1U);
  EXPECT_EQ(troubles_[0], "best.test: TLS failed: certificate required; it goes in clear");
  take_mail();
  network_.users.back()->on_closed({conf::ErrorCode::kIo, "gone"});
  network_.sent.clear();
  for (const conf::Duration later : {conf::Duration(1min), conf::Duration(10min)}) {
    clock_.time += later;
    add(1);
    step();
    network_.users.back()->on_connected();
    say_all({"220 best.test", "250-best.test\r\n250 STARTTLS"});
    const bool by_tls = network_.sent.find("STARTTLS") != std::string::npos;
    EXPECT_EQ(by_tls, later > 5min) << "tried anew after ten minutes";
    if (!by_tls) take_mail();
    network_.users.back()->on_closed({conf::ErrorCode::kIo, "gone"});
    dispatcher_->poke(path_);
    step();
  }
}

// RFC 3207 §4: 530. TLS that is broken is then the trouble of the path, and no message pays for it.
TEST_F(NextHost, WhoWantsTlsGetsNoMailInClear) {
  route_by({{"best.test", 5, 25, {"127.0.0.1"}}});
  config_->defaults.tls = conf::TlsMode::kOpportunistic;
  queue::Delivery* delivery = add(1);
  step();
  network_.users.back()->on_connected();
  say_all({"220 best.test", "250-best.test\r\n250 STARTTLS", "454 4.7.0 TLS not available",
           "530 5.7.0 Must issue a STARTTLS command first"});
  ASSERT_EQ(walk_.outcomes.size(), 1U);
  EXPECT_EQ(walk_.outcomes[0].kind, Kind::kNotTried);
  again(delivery);
  network_.users.back()->on_connected();
  say_all({"220 best.test", "250-best.test\r\n250 STARTTLS", "454 4.7.0 TLS not available"});
  EXPECT_EQ(walk_.outcomes.size(), 1U) << "the mail waits";
  EXPECT_TRUE(path_->health.failing());
  EXPECT_EQ(path_->health.last_error().reply.code, 454);
}

// RFC 1870 §6.1, RFC 6152 §3: our own refusal is about what this host offers.
TEST_F(NextHost, AHostThatOffersTooLittleIsNotTheLastOne) {
  queue::Delivery* delivery = add(1);
  step();
  const auto small = [this] {
    network_.users.back()->on_connected();
    say_all({"220 best.test", "250-best.test\r\n250 SIZE 5"});
  };
  small();
  ASSERT_EQ(walk_.outcomes.size(), 1U);
  EXPECT_EQ(walk_.outcomes[0].kind, Kind::kNotTried);
  EXPECT_TRUE(troubles_.empty()) << "the host is well";
  say("221 bye\r\n");
  again(delivery);
  ASSERT_EQ(network_.places, (std::vector<std::string>{"127.0.0.1", "127.0.0.2"}));
  small();
  ASSERT_EQ(walk_.outcomes.size(), 2U);
  EXPECT_EQ(walk_.outcomes[1].kind, Kind::kRefused) << "nobody is left to ask";
  EXPECT_TRUE(walk_.outcomes[1].local);
  say("221 bye\r\n");
  clock_.time += 2min;
  add(1);
  step();
  small();
  ASSERT_EQ(walk_.outcomes.size(), 3U);
  EXPECT_EQ(walk_.outcomes[2].kind, Kind::kRefused) << "known: all of them are alike";
  say("221 bye\r\n");
}

TEST_F(NextHost, AConnectionIsCountedUntilItIsClosed) {
  network_.closes_late = true;
  config_->defaults.tls = conf::TlsMode::kOpportunistic;
  add(1);
  step();
  network_.users.back()->on_connected();
  say_all({"220 best.test", "250-best.test\r\n250 STARTTLS", "220 go"});
  network_.users.back()->on_tls(conf::Error{conf::ErrorCode::kTimeout, "no answer"});
  EXPECT_EQ(network_.places, std::vector<std::string>{"127.0.0.1"});
  std::exchange(network_.closing, {}).clear();
  ASSERT_EQ(network_.places, (std::vector<std::string>{"127.0.0.1", "127.0.0.1"})) << "now in clear";
  network_.users.back()->on_connected();
  say_all({"220 best.test", "250 best.test", "451 4.7.1 wait", "250 once more"});
  EXPECT_EQ(path_->connections.size(), 1U);
  std::exchange(network_.closing, {}).clear();
  EXPECT_EQ(path_->connections.size(), 0U);
}

TEST_F(NextHost, AMessageThatIsLeftBeforeItWasSentIsNotSentOn) {
  network_.closes_late = true;
  add(1);
  open();
  say_all({"250 ok", "250 ok", "354 go", "552 5.3.4 too big"});
  EXPECT_EQ(network_.finished, 0) << "closed at once";
  EXPECT_EQ(path_->connections.size(), 0U);
}

TEST_F(NextHost, SwitchesOfADestinationLeaveExtensionsOut) {
  config_->defaults.peer = {false, false, false, false};
  add(1);
  step();
  network_.users.back()->on_connected();
  say_all({"220 best.test", "250-best.test\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 DSN"});
  EXPECT_NE(network_.sent.find("MAIL FROM:<>\r\n"), std::string::npos) << network_.sent;
}

TEST_F(NextHost, ARoundOverManyDeadAddressesEnds) {
  std::vector<mx::RouteHost> hosts;
  for (int i = 0; i < 20; ++i)
    hosts.push_back({"mx" + std::to_string(i) + ".test", 10, 25, {"127.0.1." + std::to_string(i)}});
  config_->ready_limit = 10s;
  route_by(hosts);
  add(1);
  step();
  const conf::Instant began = clock_.time;
  for (size_t i = 0; i < 20; ++i) {
    ASSERT_EQ(network_.places.size(), i + 1);
    ASSERT_NE(network_.deadline, conf::kNever);
    clock_.time = network_.deadline;
    network_.users.back()->on_deadline();
  }
  EXPECT_LE(clock_.time - began, 10s) << "not twenty times the connect_timeout";
  EXPECT_EQ(failures_, 1U) << "and then the path fails";
}

TEST_F(NextHost, MailIsToldOfWhileTheFirstRoundMeetsDeadHosts) {
  config_->ready_limit = 2s;
  config_->defaults.timeouts.connect = 1s;
  queue::Delivery* delivery = add(1);
  step();
  network_.users.back()->on_closed({conf::ErrorCode::kIo, "connection refused"});
  network_.users.back()->on_connected();  // the next one is silent
  clock_.time += 2s;
  step();
  EXPECT_TRUE(walk_.told.empty()) << "the round may still come to a good end";
  clock_.time += 2s;
  step();
  EXPECT_EQ(walk_.told, std::vector<queue::Delivery*>{delivery});
}

}  // namespace
}  // namespace relay
