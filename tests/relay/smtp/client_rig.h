// A client session that was greeted, and a peer that says what it is told to.
#pragma once

#include <string>
#include <utility>

#include "relay/smtp/client_session.h"

namespace relay::smtp {

inline conf::Mailbox mailbox(std::string local, std::string domain = "example.net") {
  return {std::move(local), conf::Domain::from_canonical(std::move(domain))};
}

inline Transaction transaction(size_t body_size = 20) {
  Transaction out;
  out.reverse_path = mailbox("a", "example.com");
  out.recipients.push_back({mailbox("b"), conf::kNotifyDefault, ""});
  out.body = conf::Bytes("\r\n" + std::string(body_size, 'x') + "\r\n");
  return out;
}

struct Peer {
  conf::Instant now{};
  ClientSession session;
  explicit Peer(const std::string& features, ClientOptions options = {})
      : session(named(std::move(options)), now) {
    say("220 hi\r\n");
    say("250-mx.example.net\r\n" + features + "250 HELP\r\n");
    ClientEvent event;
    while (session.next_event(&event, now)) {
    }
  }
  static ClientOptions named(ClientOptions options) {
    options.ehlo_name = "relay.example.com";
    return options;
  }
  std::string say(const std::string& text) {
    session.on_written(now);  // what was written has gone out by the time the server speaks
    session.receive(text, now);
    return take();
  }
  std::string take() {
    std::string out = session.output()->flatten();
    session.output()->clear();
    return out;
  }
};

}  // namespace relay::smtp
