#include "relay/smtp/server_session.h"

#include <algorithm>
#include <utility>

#include "conf/limits.h"
#include "conf/vocab/check.h"
#include "relay/smtp/server_state.h"
#include "relay/smtp/trace_field.h"

namespace relay::smtp {

namespace {
constexpr size_t kHeldInput = 64 * 1024;  // kept while waiting; TCP holds the rest at the client

// In units of begin_turn(): a long line is copied, and a domain that is no plain ASCII goes through IDNA,
// which costs some 10 us.
uint32_t line_cost(std::string_view line) {
  constexpr uint32_t kIdna = 15;
  const bool plain = std::ranges::all_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x80; }) &&
                     line.find("--") == std::string_view::npos;
  return 1 + static_cast<uint32_t>(line.size() / 128) +
         (plain ? 0 : kIdna + static_cast<uint32_t>(line.size() / 8));
}

bool in_networks(const std::vector<conf::Network>& networks, const std::string& address) {
  std::array<uint8_t, 16> ip;
  if (!conf::parse_ip(address, &ip)) return false;
  return std::any_of(networks.begin(), networks.end(),
                     [&](const conf::Network& n) { return n.contains(ip); });
}
bool is_loopback(const std::string& address) { return address == "::1" || address.starts_with("127."); }
}  // namespace

ServerSession::State::State(ServerOptions given)
    : options(std::move(given)), listener(*options.listener), config(*options.config) {
  tls_active = options.tls_active;
  tls = options.tls;
  relay_network = in_networks(listener.relay_from, options.client_address);
  loopback = is_loopback(options.client_address);
}

void ServerSession::State::go(Phase to) {
  if (to == phase) return;
  CHECK(may_follow(phase, to));
  phase = to;
}

void ServerSession::State::greet(conf::Instant now) {
  go(Phase::kGreeted);
  reply("220 " + config.hostname + " ESMTP Penstock");
  arm(now);
}

void ServerSession::State::arm(conf::Instant now) {
  switch (phase) {
    case Phase::kClosed:
      deadline = conf::kNever;
      return;
    case Phase::kData:
    case Phase::kChunk:
    case Phase::kChunkGap:
    case Phase::kSwallow:  // progress is wanted, and an end: a slow drip must not hold a message for ever
      deadline = std::min(message_deadline, now + listener.command_timeout);
      return;
    case Phase::kOffered:
      deadline = now + listener.message_timeout;
      return;
    default:
      deadline = now + listener.command_timeout;
  }
}

void ServerSession::State::reply_error(std::string_view line, conf::Instant now) {
  ++errors;
  if (errors >= listener.max_errors) {
    trouble(conf::DoorReason::kTooManyErrors);
    return close("421 4.7.0 too many errors, closing");
  }
  reply(line);
  arm(now);
}

void ServerSession::State::close(std::string_view line) {
  if (phase == Phase::kClosed) return;
  abort_body();
  if (phase == Phase::kOffered && !line.empty()) emit(ServerEvent::Kind::kWithdraw);
  if (!line.empty()) reply(line);
  input.clear();
  sasl.clear();
  go(Phase::kClosed);
  deadline = conf::kNever;
  emit(ServerEvent::Kind::kClose);
}

void ServerSession::State::trouble(conf::DoorReason reason, std::string_view detail) {
  constexpr size_t kKept = 128;
  if (troubles.size() < kKept) troubles.push_back({reason, std::string(detail)});
}

void ServerSession::State::emit(ServerEvent::Kind kind, std::string_view bytes) {
  ServerEvent event;
  event.kind = kind;
  event.bytes = bytes;
  if (kind == ServerEvent::Kind::kBeginMessage || kind == ServerEvent::Kind::kMessage)
    event.envelope = &envelope;
  events.push_back(std::move(event));
}

bool ServerSession::State::work(conf::Instant now) {
  if (input.empty()) return false;
  switch (phase) {
    case Phase::kBeforeGreeting:
      if (!listener.reject_early_talkers) return false;
      close("554 5.5.1 " + config.hostname + " you talked before the greeting");
      return true;
    case Phase::kData:
      read_data(now);
      return true;
    case Phase::kChunk:
      read_chunk(now);
      return true;
    case Phase::kSwallow:
      swallow(now);
      return true;
    case Phase::kClosed:
    case Phase::kTlsHandshake:
      input.clear();
      return false;
    case Phase::kOffered:
    case Phase::kAuthWait:
    case Phase::kAuthPenalty:
      return false;
    default:
      break;
  }
  const bool auth_exchange = phase == Phase::kAuthLine;
  // The verb of a long line is not known before its end: AUTH may have 12288 octets, so all lines may be read
  // so far.
  std::string_view line;
  bool crlf = false;
  const Input::Line got = input.take_line(conf::limits::kAuthLineOctets, &line, &crlf);
  if (got == Input::Line::kNone) return false;
  cost = line_cost(line);
  const bool auth_command = line.size() >= 5 && (line[0] | 0x20) == 'a' && (line[1] | 0x20) == 'u';
  if (got == Input::Line::kTooLong ||
      (!auth_exchange && !auth_command && line.size() + 2 > conf::limits::kCommandOctetsExtended)) {
    too_long_line(auth_exchange, now);
  } else if (!crlf && listener.bare_newline == conf::BareNewline::kRefuse) {
    if (auth_exchange) {
      go(Phase::kReady);
      sasl.clear();
    }
    trouble(conf::DoorReason::kBareNewline, "command");
    reply_error("500 5.5.2 a line must end in CRLF", now);
  } else if (auth_exchange) {
    auth_line(line, now);
  } else {
    lf_only = !crlf;
    command(line, now);
  }
  return true;
}

void ServerSession::State::too_long_line(bool auth_exchange, conf::Instant now) {
  if (auth_exchange) {
    go(Phase::kReady);
    sasl.clear();
    reply_error("500 5.5.6 authentication line too long", now);
  } else {
    reply_error("500 5.5.2 line too long", now);
  }
}

void ServerSession::State::answered(conf::Instant now) {
  drop_envelope();
  go(Phase::kReady);
  arm(now);
  if (shutting_down) close("421 4.3.2 " + config.hostname + " shutting down");
}

ServerSession::ServerSession(ServerOptions options, conf::Instant now)
    : state_(std::make_unique<State>(std::move(options))) {
  if (state_->listener.greeting_delay > conf::Duration::zero()) {
    state_->deadline = now + state_->listener.greeting_delay;
  } else {
    state_->greet(now);
  }
}

ServerSession::~ServerSession() = default;

void ServerSession::receive(std::string_view bytes, conf::Instant) {
  // Plaintext that comes between STARTTLS and the handshake is an injection (CVE-2011-0411).
  if (state_->phase == Phase::kClosed || state_->phase == Phase::kTlsHandshake) return;
  state_->input.add(bytes);
}

bool ServerSession::next_event(ServerEvent* event, conf::Instant now) {
  State& s = *state_;
  *event = ServerEvent();
  s.cost = 0;
  while (s.events.empty() && work_left_ > 0 && s.work(now)) {
    work_left_ -= std::min(work_left_, std::exchange(s.cost, 0));
  }
  if (s.events.empty()) {
    s.input.keep();
    return false;
  }
  *event = std::move(s.events.front());
  s.events.pop_front();
  const bool body = event->kind == ServerEvent::Kind::kBody ||
                    event->kind == ServerEvent::Kind::kBeginMessage ||
                    event->kind == ServerEvent::Kind::kAbortMessage;
  if (!body) s.input.keep();
  return true;
}

bool ServerSession::next_trouble(Trouble* trouble) {
  if (state_->troubles.empty()) return false;
  *trouble = std::move(state_->troubles.front());
  state_->troubles.pop_front();
  return true;
}

OutQueue* ServerSession::output() { return &state_->out; }

bool ServerSession::wants_input() const {
  return state_->phase != Phase::kClosed && !waits(state_->phase) && !has_more() &&
         state_->input.size() < kHeldInput;
}

bool ServerSession::has_more() const {
  return work_left_ == 0 && !state_->input.empty() && !waits(state_->phase) &&
         state_->phase != Phase::kClosed && state_->phase != Phase::kTlsHandshake &&
         state_->phase != Phase::kBeforeGreeting;
}

conf::Instant ServerSession::deadline() const { return state_->deadline; }

void ServerSession::on_deadline(conf::Instant now) {
  State& s = *state_;
  if (now < s.deadline) return;
  switch (s.phase) {
    case Phase::kBeforeGreeting:
      return s.greet(now);
    case Phase::kAuthPenalty:
      return s.auth_refuse(now);
    case Phase::kAuthWait:  // closed, so that the late answer cannot be taken for that of another exchange
      return s.close("421 4.7.0 " + s.config.hostname + " authentication is not answered in time, closing");
    case Phase::kTlsHandshake:
      return s.close("");
    case Phase::kOffered:  // no receipt came: the client must keep the message
      return s.close("421 4.3.0 " + s.config.hostname + " the message is not stored in time, closing");
    case Phase::kClosed:
      return;
    default:
      s.trouble(conf::DoorReason::kTimedOut);
      return s.close("421 4.4.2 " + s.config.hostname + " timed out, closing");
  }
}

void ServerSession::on_peer_closed() {
  State& s = *state_;
  if (s.phase == Phase::kClosed) return;
  s.abort_body();
  s.input.clear();
  s.sasl.clear();
  s.go(Phase::kClosed);
  s.deadline = conf::kNever;
}

void ServerSession::tls_established(const TlsInfo& tls, conf::Instant now) {
  State& s = *state_;
  if (s.phase != Phase::kTlsHandshake) return;
  s.input.clear();
  s.tls_active = true;
  s.tls = tls;
  s.esmtp = false;
  s.client_name.clear();
  s.authenticated_as.clear();
  s.drop_envelope();
  s.go(Phase::kGreeted);
  s.arm(now);
}

void ServerSession::auth_result(AuthOutcome outcome, conf::Instant now) {
  if (state_->phase == Phase::kAuthWait) state_->auth_answer(outcome, now);
}

void ServerSession::message_stored(const spool::Receipt& receipt, conf::Instant now) {
  State& s = *state_;
  if (s.phase != Phase::kOffered) return;
  ++s.messages;
  s.errors = 0;
  s.reply("250 2.0.0 queued as " + conf::to_text(receipt.id()));
  s.answered(now);
}

void ServerSession::message_refused(std::string_view reply, conf::Instant now) {
  State& s = *state_;
  if (s.phase != Phase::kOffered) return;
  CHECK(reply.size() > 4 && (reply[0] == '4' || reply[0] == '5'));  // "250" is made by message_stored alone
  if (reply.substr(0, 3) == "421") return s.close(reply);
  s.reply(reply);
  s.answered(now);
}

void ServerSession::shut_down(conf::Instant) {
  State& s = *state_;
  s.shutting_down = true;
  if (s.phase == Phase::kOffered || s.phase == Phase::kData || s.phase == Phase::kChunk) return;
  const bool silent = s.phase == Phase::kTlsHandshake;
  s.close(silent ? std::string() : "421 4.3.2 " + s.config.hostname + " shutting down");
}

std::string ServerSession::trace_field(conf::MessageId id, conf::WallTime now) const {
  const State& s = *state_;
  return received_field({&s.envelope, s.config.hostname, s.esmtp, s.tls_active ? &s.tls : nullptr}, id, now);
}

std::string ServerSession::missing_headers(conf::MessageId id, conf::WallTime now) const {
  const State& s = *state_;
  const bool add = s.listener.add_missing_headers;
  std::string message_id;
  if (add && !s.header.has_message_id()) {
    if (s.options.gate != nullptr) message_id = s.options.gate->message_id(id, s.envelope.reverse_path);
    if (message_id.empty()) message_id = conf::to_text(id) + '@' + s.config.hostname;
  }
  return missing_fields(s.header, add, s.envelope.reverse_path, s.config.hostname, message_id, now);
}

bool ServerSession::header_is_over() const { return state_->header.over(); }
bool ServerSession::may_relay() const { return state_->may_relay(); }
uint64_t ServerSession::held_octets() const { return state_->input.size() + state_->envelope_octets; }
uint64_t ServerSession::envelope_octets() const { return state_->envelope_octets; }

void ServerSession::leave(std::string_view reply, conf::Instant) { state_->close(reply); }

bool ServerSession::in_transaction() const {
  const Phase p = state_->phase;
  return p == Phase::kMail || p == Phase::kRecipients || p == Phase::kData || p == Phase::kChunk ||
         p == Phase::kChunkGap || p == Phase::kOffered ||
         (p == Phase::kSwallow && state_->after_swallow != Phase::kReady &&
          state_->after_swallow != Phase::kGreeted);
}

}  // namespace relay::smtp
