// What the tests of the receiving session share: a configuration, a receipt, and a session that is fed and
// drained.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/smtp/server_session.h"

namespace relay::smtp {

// Only a spool makes receipts; in these tests this is the spool.
class TestPrinter : public spool::ReceiptPrinter {
 public:
  static spool::Receipt print(conf::MessageId id) { return print_receipt(id); }
};

// Refuses when a reason is set.
class TestGate final : public Gate {
 public:
  bool accepting(std::string* why) const override {
    *why = reason;
    return reason.empty();
  }
  std::string refuses(const conf::Envelope&, const conf::Recipient& recipient) override {
    return recipient.mailbox.text() == barred ? "550 5.1.1 barred" : "";
  }
  std::string over_quota(const std::string&) override { return used_up; }
  std::string used_up;  // the reply to a user whose hour is used up
  std::string reason;
  std::string barred;  // this recipient is refused
};

inline constexpr std::string_view kFriend = "192.0.2.7";      // may relay
inline constexpr std::string_view kStranger = "203.0.113.5";  // may not

inline conf::Config test_config() {
  conf::Config config;
  config.hostname = "relay.example.com";
  conf::Listener listener;
  listener.name = "in";
  conf::Network network;
  conf::parse_ip("192.0.2.0", &network.address);
  network.prefix_bits = 120;
  listener.relay_from.push_back(network);
  config.listeners.push_back(std::move(listener));
  config.users.push_back({"shop", "hash"});
  return config;
}

// A session, and what came out of it since the last look.
class ServerRig {
 public:
  explicit ServerRig(conf::Config config = test_config(), std::string_view client = kFriend,
                     bool tls = false) {
    options.config = std::make_shared<const conf::Config>(std::move(config));
    options.listener = &options.config->listeners.front();
    options.tls_available = tls;
    options.client_address = std::string(client);
    options.gate = &gate;
  }

  void start() {
    session = std::make_unique<ServerSession>(options, now);
    drain();
  }
  void feed(std::string_view bytes) {
    const std::string copy(
        bytes);  // gone afterwards: what the session borrows beyond the call shows under ASan
    session->receive(copy, now);
    drain();
  }
  void drain() {
    ServerEvent event;
    while (session->next_event(&event, now)) note(event);
    written += session->output()->flatten();
    session->output()->clear();
  }
  std::string take_written() { return std::exchange(written, {}); }
  std::vector<std::string> take_events() { return std::exchange(events, {}); }
  // Feeds a line and gives the answer.
  std::string say(std::string_view line) {
    feed(std::string(line) + "\r\n");
    return take_written();
  }
  void store(conf::MessageId id) {
    session->message_stored(TestPrinter::print(id), now);
    drain();
  }
  void wait_for_deadline() {
    now = session->deadline();
    session->on_deadline(now);
    drain();
  }

  ServerOptions options;
  TestGate gate;
  conf::Instant now{};
  std::unique_ptr<ServerSession> session;
  std::string written;
  std::vector<std::string> events;
  std::string body;         // of the message that began last
  conf::Envelope envelope;  // of the message that was offered last

 private:
  static std::string paths(const conf::Envelope& envelope) {
    std::string out = "<" + envelope.reverse_path.text() + ">";
    for (const conf::Recipient& each : envelope.recipients) out += " <" + each.mailbox.text() + ">";
    return out;
  }
  void note(const ServerEvent& event) {
    using Kind = ServerEvent::Kind;
    switch (event.kind) {
      case Kind::kNone:
        events.push_back("an event without a kind");
        return;
      case Kind::kStartTls:
        events.push_back("start-tls");
        return;
      case Kind::kAuthenticate:
        events.push_back("authenticate " + event.user + " " + std::string(event.secret.view()));
        return;
      case Kind::kBeginMessage:
        body.clear();
        events.push_back("begin " + paths(*event.envelope));
        return;
      case Kind::kBody:
        body += event.bytes;
        return;
      case Kind::kMessage:
        envelope = *event.envelope;
        events.push_back("message");
        return;
      case Kind::kWithdraw:
        events.push_back("withdraw");
        return;
      case Kind::kAbortMessage:
        events.push_back("abort");
        return;
      case Kind::kClose:
        events.push_back("close");
        return;
    }
  }
};

}  // namespace relay::smtp
