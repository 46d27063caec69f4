// One connection over its targets, with a network whose peers say what the test says, and an owner that notes
// what it hears.
#include "relay/flow/outbound_connection.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class NotedOwner final : public OutboundConnection::Owner {
 public:
  bool may_hear(OutboundConnection*, size_t) override { return hears; }
  bool hears = true;
  void connection_ready(OutboundConnection*) override { said.push_back("ready"); }
  void transaction_done(OutboundConnection*, std::vector<smtp::RecipientOutcome> of) override {
    said.push_back("done");
    outcomes = std::move(of);
  }
  bool target_began(OutboundConnection*, const Target& target) override {
    const bool allowed = !limited.contains(target.host);
    said.push_back((allowed ? "begins " : "may not ") + target.host);
    return allowed;
  }
  void target_failed(OutboundConnection*, const Target& target) override {
    said.push_back("failed " + target.host);
  }
  void tls_failed(OutboundConnection*, const Target& target, const std::string&) override {
    said.push_back("no TLS " + target.host);
  }
  void login_done(OutboundConnection*, const Target&, bool good) override {
    said.emplace_back(good ? "logged in" : "login refused");
  }
  void connection_ended(OutboundConnection*) override { said.push_back("ended"); }
  std::set<std::string> limited;  // hosts
  std::vector<std::string> said;
  std::vector<smtp::RecipientOutcome> outcomes;
};

class OutboundConnectionTest : public PathTest {
 protected:
  using Words = std::vector<std::string>;
  OutboundConnectionTest() {
    plan_.targets = {{"mx1.test", "192.0.2.1", 25, 0, {}}, {"mx2.test", "192.0.2.2", 25, 1, {}}};
    plan_.options.ehlo_name = "relay.test";
    plan_.options.tls = conf::TlsMode::kOff;
    plan_.options.timeouts.connect = 30s;
  }
  void start() {
    connection_ = std::make_unique<OutboundConnection>(plan_, &path_, &network_, &secrets_, &clock_, &owner_);
    connection_->start();
  }
  void say(const std::string& text) { network_.users.back()->on_bytes(text); }
  void greet(const std::string& extensions = "250 mx\r\n") {
    connection_->on_connected();
    say("220 mx\r\n");
    say(extensions);
  }
  Words take_said() { return std::exchange(owner_.said, {}); }

  OutboundConnection::Plan plan_;
  PeerNetwork network_;
  FakeSecrets secrets_;
  NotedOwner owner_;
  std::unique_ptr<OutboundConnection> connection_;
};

TEST_F(OutboundConnectionTest, TheNextHostIsTriedWhenOneDoesNotAnswer) {
  start();
  EXPECT_EQ(network_.deadline, clock_.now() + 30s);
  clock_.time += 30s;
  connection_->on_deadline();
  EXPECT_EQ(connection_->error().mx_host, "mx1.test");
  EXPECT_EQ(connection_->error().stage, bounce::Stage::kConnect);
  EXPECT_EQ(connection_->error().reply.text(), "connecting took too long");
  greet();
  EXPECT_EQ(network_.places, (Words{"192.0.2.1", "192.0.2.2"}));
  EXPECT_EQ(take_said(), (Words{"begins mx1.test", "failed mx1.test", "begins mx2.test", "ready"}));
  EXPECT_EQ(connection_->target().host, "mx2.test");
  EXPECT_EQ(connection_->connect_time().count(), 0) << "of the host that answered";
}

TEST_F(OutboundConnectionTest, WhenNoHostAnswersItEndsOnceAndSaysWhyOfTheLast) {
  start();
  connection_->on_closed({conf::ErrorCode::kIo, "connection refused"});
  connection_->on_closed({conf::ErrorCode::kIo, "no route to host"});
  EXPECT_EQ(take_said(),
            (Words{"begins mx1.test", "failed mx1.test", "begins mx2.test", "failed mx2.test", "ended"}));
  EXPECT_EQ(connection_->error().mx_host, "mx2.test");
  EXPECT_EQ(connection_->error().reply.text(), "no route to host");
  EXPECT_FALSE(connection_->ever_ready());
}

TEST_F(OutboundConnectionTest, BehindAHostThatIsOnlyLimitedNobodyIsAsked) {
  owner_.limited = {"mx1.test"};
  start();
  EXPECT_EQ(take_said(), (Words{"may not mx1.test", "ended"}))
      << "the second is no host for us: the first is well";
  EXPECT_TRUE(network_.places.empty());
  plan_.targets[1].rank = 0;
  start();
  EXPECT_EQ(take_said(), (Words{"may not mx1.test", "begins mx2.test"})) << "its equal is";
}

TEST_F(OutboundConnectionTest, AHostThatRefusesAtItsGreetingIsLeft) {
  start();
  connection_->on_connected();
  say("554 5.7.1 not you\r\n");
  say("221 bye\r\n");
  EXPECT_EQ(take_said(), (Words{"begins mx1.test", "failed mx1.test", "begins mx2.test"}));
  EXPECT_EQ(connection_->error().reply.code, 554);
  EXPECT_EQ(connection_->error().stage, bounce::Stage::kGreeting);
}

TEST_F(OutboundConnectionTest, TheNextConnectionBeginsWhenTheStreamIsReallyGone) {
  network_.closes_late = true;
  start();
  connection_->on_connected();
  say("554 5.7.1 not you\r\n");
  EXPECT_EQ(network_.places.size(), 1U) << "the receiver still counts the first";
  network_.closing.clear();
  EXPECT_EQ(network_.places.size(), 2U);
}

TEST_F(OutboundConnectionTest, WhereTlsFailsTheSameHostIsTriedInClear) {
  plan_.options.tls = conf::TlsMode::kOpportunistic;
  start();
  greet("250-mx\r\n250 STARTTLS\r\n");
  say("220 go\r\n");
  EXPECT_EQ(network_.tls_started, 1);
  connection_->on_tls(conf::Error{conf::ErrorCode::kIo, "handshake failure"});
  EXPECT_EQ(network_.places, (Words{"192.0.2.1", "192.0.2.1"}));
  greet("250-mx\r\n250 STARTTLS\r\n");
  EXPECT_EQ(network_.tls_started, 1);
  EXPECT_EQ(take_said(), (Words{"begins mx1.test", "begins mx1.test", "no TLS mx1.test", "ready"}));
}

TEST_F(OutboundConnectionTest, WhereTlsIsADutyTheNextHostIsTried) {
  plan_.options.tls = conf::TlsMode::kRequired;
  start();
  greet("250-mx\r\n250 STARTTLS\r\n");
  say("220 go\r\n");
  connection_->on_tls(conf::Error{conf::ErrorCode::kIo, "handshake failure"});
  EXPECT_EQ(take_said(), (Words{"begins mx1.test", "failed mx1.test", "begins mx2.test"}));
  EXPECT_EQ(connection_->error().stage, bounce::Stage::kTls);
}

TEST_F(OutboundConnectionTest, ImplicitTlsStandsBeforeTheGreeting) {
  plan_.targets[0].implicit_tls = true;
  plan_.options.timeouts.tls = 20s;
  start();
  connection_->on_connected();
  EXPECT_EQ(network_.tls_started, 1);
  EXPECT_EQ(network_.deadline, clock_.now() + 20s);
  connection_->on_deadline();
  EXPECT_EQ(connection_->error().stage, bounce::Stage::kTls);
  EXPECT_EQ(take_said(), (Words{"begins mx1.test", "failed mx1.test", "begins mx2.test"}));
}

TEST_F(OutboundConnectionTest, ARestThatIsOverEndsWithQuit) {
  start();
  greet();
  connection_->rest(5s);
  EXPECT_EQ(network_.deadline, clock_.now() + 5s);
  connection_->stay();
  EXPECT_EQ(network_.deadline, conf::kNever);
  connection_->rest(5s);
  clock_.time += 5s;
  connection_->on_deadline();
  EXPECT_TRUE(connection_->quitting());
  EXPECT_TRUE(network_.sent.ends_with("QUIT\r\n"));
  take_said();
  say("221 bye\r\n");
  EXPECT_EQ(take_said(), Words{"ended"}) << "no other host: it was ready once";
}

TEST_F(OutboundConnectionTest, ABreakBehindTheContentIsUncertainAndNoOtherHostFollows) {
  start();
  greet();
  take_said();
  connection_->send(ScriptedWalk::an_errand().transaction);
  say("250 ok\r\n");
  say("250 ok\r\n");
  say("354 go\r\n");
  connection_->on_drained();
  connection_->on_closed({conf::ErrorCode::kIo, "connection reset"});
  EXPECT_EQ(take_said(), (Words{"done", "ended"}));
  ASSERT_EQ(owner_.outcomes.size(), 1U);
  EXPECT_TRUE(owner_.outcomes[0].uncertain);
  EXPECT_EQ(network_.places.size(), 1U);
}

TEST_F(OutboundConnectionTest, ASecretThatOneHostRefusedIsToldToNoOther) {
  plan_.login.name = "provider";
  plan_.login.user = "u";
  plan_.login.without_tls = true;
  for (Target& target : plan_.targets) target.log_in = true;
  start();
  greet("250-mx\r\n250 AUTH PLAIN\r\n");
  EXPECT_EQ(secrets_.asked, Words{"provider"});
  say("535 5.7.8 bad credentials\r\n");
  say("221 bye\r\n");
  EXPECT_EQ(take_said(), (Words{"begins mx1.test", "login refused", "failed mx1.test", "ended"}));
  EXPECT_EQ(connection_->error().stage, bounce::Stage::kLogin);
}

TEST_F(OutboundConnectionTest, ASecretThatComesTooLateIsNotUsed) {
  class LateSecrets final : public Secrets {
   public:
    void get(const std::string&, Done done) override { later.push_back(std::move(done)); }
    void refused(const std::string&) override {}
    std::vector<Done> later;
  } secrets;
  plan_.login.name = "provider";
  plan_.login.user = "u";
  plan_.login.without_tls = true;
  plan_.targets[0].log_in = true;
  connection_ = std::make_unique<OutboundConnection>(plan_, &path_, &network_, &secrets, &clock_, &owner_);
  connection_->start();
  greet("250-mx\r\n250 AUTH PLAIN\r\n");
  ASSERT_EQ(secrets.later.size(), 1U);
  connection_.reset();
  network_.sent.clear();
  secrets.later[0](std::string("secret"));
  EXPECT_EQ(network_.sent, "") << "nobody is there any more";
}

}  // namespace
}  // namespace relay
