// The part of ClientCore before the first transaction: greeting, EHLO, STARTTLS.
#include <utility>

#include "conf/vocab/check.h"
#include "relay/smtp/client_core.h"

namespace relay::smtp {

namespace {
using S = ClientState;
using bounce::Reply;
}  // namespace

void ClientCore::send_ehlo(conf::Instant now) {
  output.append("EHLO " + options_.ehlo_name + "\r\n");
  go_to(S::kEhlo, now);
}

void ClientCore::take_greeting(Reply reply, conf::Instant now) {
  if (reply.positive()) {
    send_ehlo(now);
  } else {
    close_refused(std::move(reply));
  }
}

// Each reply costs us work: a server that greets without end would have it without end.
void ClientCore::greeted_again() {
  constexpr uint32_t kLetBe = 2;
  if (++greeted_again_ > kLetBe)
    close_broken(std::string("greeted again and again while waiting for ") + awaited(state_), End::kByPeer);
}

void ClientCore::take_ehlo(Reply reply, conf::Instant now) {
  if (reply.code == 220) {  // a second greeting: the answer is still to come, within the same time
    greeted_again();
    return;
  }
  if (reply.positive()) {
    peer = parse_ehlo_reply(reply);
    const bool offers_starttls = peer.starttls;
    leave_out(options_.left_out, &peer);
    peer.eight_bit_clean |= options_.eight_bit_anyway;
    if (!options_.tls_fallback)
      peer.starttls = offers_starttls;  // what failed elsewhere does not excuse it here
    tls_left_ = offers_starttls && !tls && options_.tls_fallback;
    after_ehlo(now);
  } else if (reply.permanent()) {  // RFC 5321 §3.2: a server that does not know EHLO
    output.append("HELO " + options_.ehlo_name + "\r\n");
    go_to(S::kHelo, now);
  } else {
    close_refused(std::move(reply));
  }
}

void ClientCore::take_helo(Reply reply, conf::Instant now) {
  if (reply.code == 220) {
    greeted_again();
    return;
  }
  if (!reply.positive()) {
    close_refused(std::move(reply));
    return;
  }
  peer = PeerFeatures();
  peer.eight_bit_clean = options_.eight_bit_anyway;
  after_ehlo(now);
}

void ClientCore::after_ehlo(conf::Instant now) {
  if (tls || options_.tls == conf::TlsMode::kOff) {
    opened(now);
  } else if (peer.starttls) {
    output.append("STARTTLS\r\n");
    go_to(S::kStartTls, now);
  } else if (options_.tls == conf::TlsMode::kRequired) {
    output.append("QUIT\r\n");
    ClientEvent event;
    event.error = "TLS is required and the receiving server does not offer STARTTLS";
    event.tls_wanted_but_missing = true;
    push_closed(std::move(event));
    events_.back().stage = bounce::Stage::kTls;
  } else {
    opened(now);
  }
}

void ClientCore::take_starttls(Reply reply, conf::Instant now) {
  if (reply.positive()) {
    parser_.reset();
    go_to(S::kHandshake, now);
    ClientEvent event;
    event.kind = ClientEvent::Kind::kStartTls;
    events_.push_back(std::move(event));
  } else if (options_.tls == conf::TlsMode::kRequired) {
    close_refused(std::move(reply));
  } else {
    if (options_.tls_fallback) starttls_refusal_ = std::move(reply);
    opened(now);  // RFC 3207 §4: the client goes on in clear where policy allows
  }
}

void ClientCore::tls_established(const TlsInfo& info, conf::Instant now) {
  if (state_ == S::kClosed) return;
  CHECK(state_ == S::kHandshake);
  tls = info;
  peer = PeerFeatures();  // RFC 3207 §4.2: what was learnt in clear is forgotten
  send_ehlo(now);
}

void ClientCore::tls_failed(std::string_view why) {
  if (state_ == S::kClosed) return;
  CHECK(state_ == S::kHandshake);
  close_broken(why.empty() ? "the TLS handshake failed" : why, End::kByPeer);
}

void ClientCore::ready(conf::Instant now) {
  if (state_ != S::kReady) go_to(S::kReady, now);
  ClientEvent event;
  event.kind = ClientEvent::Kind::kReady;
  event.reply = std::exchange(starttls_refusal_, {});
  events_.push_back(std::move(event));
}

}  // namespace relay::smtp
