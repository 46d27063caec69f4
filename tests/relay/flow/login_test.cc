// Who is told the secret of a smart host, and what follows when it is refused.
#include <gtest/gtest.h>

#include "tests/relay/flow/dispatcher_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr const char* kAuth = "AUTH PLAIN AHUAc2VjcmV0\r\n";  // NUL u NUL secret

class LoginTest : public DispatcherTest {
 protected:
  LoginTest() {
    config_->logins.resize(1);
    config_->logins[0].name = "main";
    config_->logins[0].user = "u";
    config_->logins[0].without_tls = true;
    config_->defaults.peer.login = "main";
    config_->defaults.smart_hosts = {{"one.test", 587}, {"two.test", 587}};
    route_by({{"one.test", 0, 587, {"127.0.0.1"}}, {"two.test", 1, 587, {"127.0.0.2"}}});
  }
  void greet_with_auth() {
    network_.users.back()->on_connected();
    say("220 one.test\r\n");
    say("250-one.test\r\n250 AUTH PLAIN\r\n");
  }
  size_t logins() const {
    size_t count = 0;
    for (size_t at = network_.sent.find("AUTH "); at != std::string::npos;
         at = network_.sent.find("AUTH ", at + 1))
      ++count;
    return count;
  }
};

TEST_F(LoginTest, ComesBeforeTheFirstMessage) {
  add(1);
  step();
  greet_with_auth();
  EXPECT_NE(network_.sent.find(kAuth), std::string::npos) << network_.sent;
  EXPECT_EQ(network_.sent.find("MAIL"), std::string::npos);
  say("235 welcome\r\n");
  EXPECT_NE(network_.sent.find("MAIL"), std::string::npos);
  EXPECT_TRUE(troubles_.empty());
}

TEST_F(LoginTest, WhenItIsGoodTheOthersFollow) {
  for (int i = 0; i < 5; ++i) add(1);
  step();
  ASSERT_EQ(network_.users.size(), 1U);
  greet_with_auth();
  say("235 welcome\r\n");
  step();
  EXPECT_GT(network_.users.size(), 1U);
}

TEST_F(LoginTest, AHostThatIsNotNamedIsToldNothing) {
  route_by({{"mx.elsewhere.test", 0, 587, {"127.0.0.3"}}});
  add(1);
  step();
  greet_with_auth();
  EXPECT_EQ(logins(), 0U);
  EXPECT_TRUE(secrets_.asked.empty());
}

TEST_F(LoginTest, ARefusedOneIsNotTriedElsewhereNorByOthersAndItsMailWaits) {
  queue::Delivery* first = add(1);
  for (int i = 0; i < 20; ++i) add(1);
  step();
  ASSERT_EQ(network_.users.size(), 1U) << "one tries it, the others wait";
  const size_t opened = 1;
  greet_with_auth();
  say("535 5.7.8 no\r\n");
  EXPECT_EQ(logins(), 1U);
  EXPECT_EQ(network_.places.size(), opened) << "the second host is not told";
  EXPECT_EQ(secrets_.bad.front(), "main");
  ASSERT_EQ(troubles_.size(), 1U);
  EXPECT_EQ(
      troubles_[0],
      "one.test: login \"main\" failed at one.test: 535 5.7.8 no; the mail of all destinations that have "
      "it waits");
  EXPECT_TRUE(walk_.reports.empty()) << "no recipient hears of it";
  const size_t before = logins();
  for (int i = 0; i < 55; ++i) {
    clock_.time += 1s;
    step();
  }
  EXPECT_EQ(logins(), before);
  EXPECT_EQ(network_.places.size(), opened) << "nothing is opened meanwhile";
  EXPECT_EQ(dispatcher_->ready(), 21U);
  EXPECT_EQ(first->path, path_);
}

// RFC 4954 §6: 504 and 534 are about the mechanism. The next session does not ask for it again, for a while.
TEST_F(LoginTest, AMechanismThatIsRefusedIsNotTriedByTheNextSession) {
  const auto log_in = [this] {
    add(1);
    step();
    network_.users.back()->on_connected();
    say("220 one.test\r\n");
    network_.sent.clear();
    say("250-one.test\r\n250 AUTH PLAIN LOGIN\r\n");
  };
  const auto take = [this] {
    for (const char* said :
         {"334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 welcome", "250 ok", "250 ok", "354 go"})
      say(std::string(said) + "\r\n");
    network_.users.back()->on_drained();
    say("250 2.0.0 taken\r\n");
    ASSERT_EQ(walk_.outcomes.back().kind, smtp::RecipientOutcome::Kind::kDelivered);
    network_.users.back()->on_closed({conf::ErrorCode::kIo, "gone"});
    step();
  };
  log_in();
  EXPECT_NE(network_.sent.find("AUTH PLAIN"), std::string::npos) << network_.sent;
  say("504 5.5.4 Unrecognized authentication type\r\n");
  EXPECT_NE(network_.sent.find("AUTH LOGIN"), std::string::npos) << network_.sent;
  take();
  log_in();
  EXPECT_EQ(network_.sent.find("AUTH PLAIN"), std::string::npos) << network_.sent;
  EXPECT_NE(network_.sent.find("AUTH LOGIN"), std::string::npos) << network_.sent;
  take();
  clock_.time += 61min;
  log_in();
  EXPECT_NE(network_.sent.find("AUTH PLAIN"), std::string::npos) << "it is forgotten in time";
}

// A host that was not told the secret, or cannot judge it now, hides no other one.
TEST_F(LoginTest, AHostThatCanLogNobodyInIsPassedByForTheNextOne) {
  for (const std::string reply : {"454 4.7.0 Temporary authentication failure", "421 4.3.2 shutting down",
                                  "504 5.5.4 Unrecognized authentication type", "504 Unrecognized",
                                  "500 5.5.4 Unrecognized", "eof", "no AUTH"}) {
    network_.places.clear();
    walk_.outcomes.clear();
    clock_.time += 2min;  // the first one is well again
    add(1);
    step();
    if (reply == "no AUTH") {
      network_.users.back()->on_connected();
      say("220 one.test\r\n");
      say("250 one.test\r\n");
    } else {
      greet_with_auth();
      if (reply == "eof") {
        network_.users.back()->on_closed({conf::ErrorCode::kIo, "gone"});
      } else {
        say(reply + "\r\n");
      }
    }
    ASSERT_EQ(network_.places, (std::vector<std::string>{"127.0.0.1", "127.0.0.2"})) << reply;
    greet_with_auth();
    for (const char* said : {"235 welcome", "250 ok", "250 ok", "354 go"}) say(std::string(said) + "\r\n");
    network_.users.back()->on_drained();
    say("250 2.0.0 taken\r\n");
    ASSERT_EQ(walk_.outcomes.size(), 1U) << reply;
    EXPECT_EQ(walk_.outcomes[0].kind, smtp::RecipientOutcome::Kind::kDelivered) << reply;
    say("221 bye\r\n");
    step();
  }
}

TEST_F(LoginTest, WhereTheLastHostCanLogNobodyInTheLoginWaits) {
  add(1);
  step();
  greet_with_auth();
  say("454 4.7.0 Temporary authentication failure\r\n");
  greet_with_auth();
  say("454 4.7.0 Temporary authentication failure\r\n");
  ASSERT_EQ(troubles_.size(), 1U);
  EXPECT_NE(troubles_[0].find("two.test: 454"), std::string::npos) << troubles_[0];
  EXPECT_EQ(logins(), 2U);
}

// No host can be told it: to ask the next one would end likewise.
TEST_F(LoginTest, ASecretThatIsMissingIsMissingAtAllHosts) {
  secrets_.missing = true;
  add(1);
  step();
  greet_with_auth();
  EXPECT_EQ(network_.places, std::vector<std::string>{"127.0.0.1"});
  ASSERT_EQ(troubles_.size(), 1U);
  EXPECT_NE(troubles_[0].find("the secret cannot be read"), std::string::npos) << troubles_[0];
  EXPECT_EQ(logins(), 0U);
}

// What it says of permission is about our account, and its operator can mend that.
TEST_F(LoginTest, WhatASmartHostSaysOfOurAccountEndsNoMail) {
  add(1);
  step();
  greet_with_auth();
  say("235 welcome\r\n");
  say("550 5.7.1 Client is unauthenticated\r\n");
  ASSERT_EQ(walk_.outcomes.size(), 1U);
  EXPECT_FALSE(bounce::ends_at_once(walk_.outcomes[0].meaning));
}

TEST_F(LoginTest, AReloadTriesAtOnce) {
  add(1);
  step();
  greet_with_auth();
  say("535 5.7.8 no\r\n");
  step();
  dispatcher_->reload(config_);
  step();
  greet_with_auth();
  say("235 welcome\r\n");
  EXPECT_EQ(logins(), 2U);
  EXPECT_NE(network_.sent.find("MAIL"), std::string::npos);
}

TEST_F(LoginTest, AHostThatIsDownIsPassedByForTheNextOne) {
  add(1);
  step();
  network_.users.back()->on_closed({conf::ErrorCode::kIo, "connection refused"});
  ASSERT_EQ(network_.places, (std::vector<std::string>{"127.0.0.1", "127.0.0.2"}));
  greet_with_auth();
  say("235 welcome\r\n");
  EXPECT_NE(network_.sent.find("MAIL"), std::string::npos);
}

TEST_F(LoginTest, ImplicitTlsComesBeforeTheGreeting) {
  config_->defaults.peer.tls_start = conf::TlsStart::kImplicit;
  config_->logins[0].without_tls = false;
  add(1);
  step();
  network_.users.back()->on_connected();
  EXPECT_EQ(network_.tls_started, 1);
  EXPECT_EQ(network_.sent, "");
  network_.users.back()->on_tls(TlsInfo{"TLSv1.3", "x", true, false});
  say("220 one.test\r\n");
  say("250-one.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n");
  EXPECT_NE(network_.sent.find(kAuth), std::string::npos) << network_.sent;
  EXPECT_EQ(network_.tls_started, 1);
}

TEST_F(LoginTest, ImplicitTlsThatFailsIsNeverReplacedByClearText) {
  config_->defaults.tls = conf::TlsMode::kOpportunistic;
  config_->defaults.peer.tls_start = conf::TlsStart::kImplicit;
  add(1);
  step();
  network_.users.back()->on_connected();
  network_.users.back()->on_tls(conf::Error{conf::ErrorCode::kIo, "no"});
  EXPECT_EQ(network_.places.size(), 2U) << "the next host is asked";
  EXPECT_EQ(network_.sent, "");
}

}  // namespace
}  // namespace relay
