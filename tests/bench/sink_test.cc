// The receiver over real sockets: each limit against a sender that keeps it and then breaks it by one.
#include "tests/bench/sink_dialog.h"

#include <memory>
#include <vector>

namespace bench {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

using Broken = std::array<uint64_t, kLimits>;

Broken only(Limit limit) {
  Broken out{};
  out[static_cast<size_t>(limit)] = 1;
  return out;
}

std::string group(const std::string& keys) { return "[[group]]\nname = \"g\"\nhosts = 2\n" + keys; }

std::unique_ptr<Sender> greeted(const RunningSink& sink, const std::string& host = "127.1.0.1") {
  auto sender = std::make_unique<Sender>(sink.address(host));
  EXPECT_EQ(sender->reply().substr(0, 4), "220 ");
  EXPECT_EQ(sender->say("EHLO x.test").substr(0, 4), "250 ");
  return sender;
}

TEST(Sink, CountsOneConnectionTooMany) {
  RunningSink sink(group("max_connections = 3\n"));
  std::vector<std::unique_ptr<Sender>> senders;
  for (const char* host : {"127.1.0.1", "127.1.0.2", "127.1.0.1"}) senders.push_back(greeted(sink, host));
  Sender late(sink.address("127.1.0.2"));
  EXPECT_EQ(late.reply(), "421 4.7.0 Too many connections from 127.0.0.1");
  EXPECT_TRUE(late.closed());
  senders.pop_back();
  senders.push_back(greeted(sink));
  EXPECT_EQ(sink.stop().sites()[0]->tally().broken, only(Limit::kConnections));
}

TEST(Sink, CountsOneConnectionTooManyOfOneAddress) {
  RunningSink sink(group("max_connections = 1\nper = \"address\"\n"));
  const auto first = greeted(sink, "127.1.0.1"), second = greeted(sink, "127.1.0.2");
  Sender late(sink.address("127.1.0.2"));
  EXPECT_EQ(late.reply().substr(0, 3), "421");
  EXPECT_EQ(sink.stop().sites()[0]->tally().broken, only(Limit::kConnections));
}

// A sender may open the next connection as soon as it has closed the last, however late the receiver reads.
TEST(Sink, DoesNotCountWhatTheSenderHasClosed) {
  RunningSink sink(group("max_connections = 1\n[[group.fault]]\nat = \"ehlo\"\ndelay = \"10s\"\n"));
  for (int i = 0; i < 300; ++i) {
    Sender sender(sink.address());
    EXPECT_EQ(sender.reply().substr(0, 4), "220 ") << i;
    sender.write(i % 2 == 0 ? "QUIT\r\n"
                            : "EHLO x.test\r\nNOOP\r\n");  // the odd ones leave a session that waits
  }
  EXPECT_EQ(sink.stop().sites()[0]->tally().broken, Broken{});
}

TEST(Sink, CountsOneMessageTooManyInAConnection) {
  RunningSink sink(group("max_messages_per_connection = 4\nwording = \"yahoo\"\n"));
  const auto sender = greeted(sink);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(sender->send_message(), "250");
  // All in one flight: the refusal must arrive although more was sent behind it.
  sender->write("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n" + std::string(1'000'000, 'x'));
  EXPECT_EQ(sender->reply(), "421 Max message per connection reached, closing transmission channel");
  sender->close();
  EXPECT_EQ(greeted(sink)->send_message(), "250");
  EXPECT_EQ(sink.stop().sites()[0]->tally().broken, only(Limit::kMessagesPerConnection));
}

TEST(Sink, CountsOneMessageTooManyInTheWindow) {
  RunningSink sink(group("max_messages = 5\nwindow = \"1h\"\n"));
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(greeted(sink, i % 2 == 0 ? "127.1.0.1" : "127.1.0.2")->send_message(), "250");
  const auto sender = greeted(sink);
  // Pipelined: RCPT and DATA fail too, but that is one message too many.
  sender->write("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n");
  EXPECT_EQ(sender->reply(), "450 4.7.1 Rate limit exceeded for 127.0.0.1");
  EXPECT_EQ(sender->reply().substr(0, 3), "503");
  EXPECT_EQ(sender->reply().substr(0, 3), "503");
  const Server& server = sink.stop();
  EXPECT_EQ(server.sites()[0]->tally().broken, only(Limit::kMessages));
  EXPECT_EQ(server.tally().messages, 5U);
}

TEST(Sink, TheWindowPassesAsFastAsTheTimeScaleSays) {
  SinkOptions options;
  options.time_scale = 3600;
  RunningSink sink(group("max_messages = 1\nwindow = \"90m\"\n"), options);  // 1.5 s
  const auto sender = greeted(sink);
  EXPECT_EQ(sender->send_message(), "250");
  EXPECT_EQ(sender->send_message(), "450");
  std::this_thread::sleep_for(1600ms);
  EXPECT_EQ(sender->send_message(), "250");
  EXPECT_EQ(sink.stop().sites()[0]->tally().broken, only(Limit::kMessages));
}

TEST(Sink, CountsOneConnectionTooManyInTheWindow) {
  RunningSink sink(group("max_new_connections = 3\nwindow = \"1h\"\n"));
  for (int i = 0; i < 3; ++i) (void)greeted(sink);
  Sender late(sink.address());
  EXPECT_EQ(late.reply().substr(0, 9), "421 4.7.0");
  EXPECT_EQ(sink.stop().sites()[0]->tally().broken, only(Limit::kNewConnections));
}

TEST(Sink, CountsOneRecipientTooMany) {
  RunningSink sink(group("max_recipients = 3\n"));
  const auto sender = greeted(sink);
  EXPECT_EQ(sender->send_message(3), "250");
  EXPECT_EQ(sender->send_message(4), "452");
  EXPECT_EQ(sink.stop().sites()[0]->tally().broken, only(Limit::kRecipients));
}

TEST(Sink, TakesMailOverTls) {
  RunningSink sink(group("tls = \"required\"\n"));
  const auto sender = greeted(sink);
  EXPECT_EQ(sender->say("MAIL FROM:<a@b.test>").substr(0, 9), "530 5.7.0");
  // What stands behind STARTTLS in the clear is thrown away, not answered once the stream is secret.
  EXPECT_EQ(sender->say("STARTTLS\r\nNOOP").substr(0, 3), "220");
  ASSERT_EQ(sender->start_tls("mx1.g.test"), "");
  EXPECT_EQ(sender->say("MAIL FROM:<a@b.test>").substr(0, 3), "503");  // EHLO is to be said again
  EXPECT_EQ(sender->say("EHLO x.test").substr(0, 4), "250 ");
  EXPECT_EQ(sender->send_message(), "250");
  EXPECT_EQ(sender->say("QUIT").substr(0, 3), "221");
  EXPECT_EQ(sink.stop().tally().messages, 1U);
}

TEST(Sink, PlaysTheFaultsOfTls) {
  const struct {
    const char* what;
    const char* trouble;  // how the handshake ends
    bool closed;
  } cases[] = {{"refuse", "handshake", true},
               {"break", "closed", true},
               {"garbage", "TLS handshake failed", true},
               {"stall", "closed or silent", false}};
  for (const auto& one : cases) {
    RunningSink sink(group("tls = \"offered\"\n[[group.fault]]\nat = \"starttls\"\nhandshake = \"") +
                     one.what + "\"\n");
    Sender sender(sink.address(), one.closed ? 5000 : 300);
    (void)sender.reply();
    (void)sender.say("EHLO x.test");
    EXPECT_EQ(sender.say("STARTTLS").substr(0, 3), "220") << one.what;
    const std::string trouble = sender.start_tls("mx1.g.test");
    EXPECT_NE(trouble.find(one.trouble), std::string::npos) << one.what << ": " << trouble;
    EXPECT_EQ(sender.closed(), one.closed) << one.what;
    EXPECT_EQ(sink.stop().sites()[0]->tally().bad_handshakes, 1U) << one.what;
  }
}

TEST(Sink, RefusesStartTlsAndGoesOnInTheClear) {
  RunningSink sink(
      group("tls = \"offered\"\n[[group.fault]]\nat = \"starttls\"\nreply = \"454 4.7.0 Not now\"\n"));
  const auto sender = greeted(sink);
  EXPECT_EQ(sender->say("STARTTLS"), "454 4.7.0 Not now");
  EXPECT_EQ(sender->send_message(), "250");
}

TEST(Sink, SendsMailBackToTheEnvelopeSender) {
  RunningSink home("[[group]]\nname = \"home\"\n");
  SinkOptions options;
  options.reports_to = home.address();
  RunningSink sink(group("[[group.late]]\nafter = \"50ms\"\nreply = \"550 5.1.1 <{recipient}> is gone\"\n"),
                   options);
  EXPECT_EQ(greeted(sink)->send_message(2), "250");
  for (int i = 0; i < 2000 && sink.postal().sent < 2; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(sink.postal().sent, 2U);
  EXPECT_EQ(sink.stop().sites()[0]->tally().late, 2U);
  EXPECT_EQ(home.stop().tally().messages, 2U);
}

TEST(Sink, TellsWhatBecameOfMailThatWasNotTakenBack) {
  SinkOptions options;
  const std::string late = group("[[group.late]]\nreply = \"550 5.1.1 gone\"\n");
  {
    RunningSink home(
        "[[group]]\nname = \"home\"\n[[group.fault]]\nat = \"rcpt\"\nreply = \"550 5.7.1 No\"\n");
    options.reports_to = home.address();
    RunningSink sink(late, options);
    EXPECT_EQ(greeted(sink)->send_message(), "250");
    for (int i = 0; i < 2000 && sink.postal().refused == 0; ++i) std::this_thread::sleep_for(10ms);
    EXPECT_EQ(sink.postal().refused, 1U);
    EXPECT_EQ(sink.postal().last_trouble, "550 5.7.1 No");
  }
  options.reports_to = "127.0.0.1:1";  // nobody listens there
  RunningSink sink(late, options);
  EXPECT_EQ(greeted(sink)->send_message(), "250");
  for (int i = 0; i < 2000 && sink.postal().last_trouble.empty(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(sink.postal().last_trouble, "cannot connect to 127.0.0.1:1: Connection refused");
  EXPECT_EQ(sink.postal().waiting, 1U);
}

// A peer that says nothing must not keep the receiver from ending.
TEST(Sink, EndsWhileMailIsOnItsWayBack) {
  RunningSink home("[[group]]\nname = \"home\"\n[[group.fault]]\nat = \"connect\"\ndelay = \"60s\"\n");
  SinkOptions options;
  options.reports_to = home.address();
  const conf::Instant began = conf::SystemClock().now();
  {
    RunningSink sink(group("[[group.late]]\nreply = \"550 5.1.1 gone\"\n"), options);
    EXPECT_EQ(greeted(sink)->send_message(), "250");
    for (int i = 0; i < 2000 && sink.postal().waiting == 0; ++i) std::this_thread::sleep_for(10ms);
    std::this_thread::sleep_for(100ms);  // it connects
    EXPECT_EQ(sink.postal().waiting, 1U);
  }
  EXPECT_LT(conf::SystemClock().now() - began, 8s);  // it would wait 10 s for the greeting
}

TEST(Sink, SendsNothingBackToAnotherNetworkUnlessAllowed) {
  const SocketAddress away = parse_socket_address("192.0.2.1:25").value();
  EXPECT_FALSE(Postman::allowed(away, false).ok());
  EXPECT_TRUE(Postman::allowed(away, true).ok());
  EXPECT_TRUE(Postman::allowed(parse_socket_address("127.9.9.9:25").value(), false).ok());
  EXPECT_TRUE(Postman::allowed(parse_socket_address("[::1]:25").value(), false).ok());
  EXPECT_FALSE(Postman::allowed(parse_socket_address("[2001:db8::1]:25").value(), false).ok());
}

}  // namespace
}  // namespace bench
