#include "relay/intake/inbound_connection.h"

#include <algorithm>
#include <utility>

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {
constexpr conf::Duration kHandshakeTimeout = 1min;  // implicit TLS
// Of one connection and turn of the loop: some 0.1 ms of plain commands, and at most some 50 KB of replies.
constexpr uint32_t kTurnWork = 96;
constexpr size_t kUnsentOctets = 64 * 1024;  // above it commands wait: the client does not read our replies
constexpr conf::Duration kNextTurn = 1us;
constexpr uint64_t kReservePiece = 64 * 1024;  // memory is asked for in pieces of this size
}  // namespace

InboundConnection::InboundConnection(uint64_t number, smtp::ServerOptions options,
                                     std::unique_ptr<Transport> transport, const conf::Clock* clock,
                                     Owner* owner)
    : number_(number),
      config_(options.config),
      client_address_(options.client_address),
      listener_name_(options.listener->name),
      transport_(std::move(transport)),
      clock_(clock),
      owner_(owner),
      implicit_tls_(options.listener->implicit_tls),
      options_(std::move(options)) {}

InboundConnection::~InboundConnection() { owner_->return_memory(reserved_); }

void InboundConnection::start() {
  transport_->set_user(this);
  if (implicit_tls_) {
    transport_->start_tls({});
    transport_->set_deadline(clock_->now() + kHandshakeTimeout);
    return;
  }
  session_ = std::make_unique<smtp::ServerSession>(options_, clock_->now());
  pump();
}

void InboundConnection::on_tls(conf::Result<TlsInfo> outcome) {
  if (!outcome.ok()) {
    close();
    return;
  }
  if (session_ == nullptr) {
    options_.tls_active = true;
    options_.tls = *outcome;
    session_ = std::make_unique<smtp::ServerSession>(options_, clock_->now());
    deadline_ = conf::kNever;
    transport_->set_deadline(conf::kNever);
  } else {
    session_->tls_established(*outcome, clock_->now());
  }
  pump();
}

void InboundConnection::on_bytes(std::string_view bytes) {
  if (session_ == nullptr) return;
  session_->receive(bytes, clock_->now());
  pump();
}

void InboundConnection::on_closed(const conf::Error&) {
  if (session_ != nullptr) session_->on_peer_closed();
  pump();
  close();
}

void InboundConnection::on_deadline() {
  deadline_ = conf::kNever;
  if (session_ == nullptr) {
    close();
    return;
  }
  session_->on_deadline(clock_->now());
  pump();
}

void InboundConnection::message_done(conf::Result<spool::Receipt> result) {
  if (closed_) return;
  if (result.ok()) {
    session_->message_stored(*result, clock_->now());
  } else {
    // The reason goes into our own log; the client learns what it can use.
    const bool space = result.error().code == conf::ErrorCode::kNoSpace;
    session_->message_refused(space ? "452 4.3.1 Insufficient system storage, try again later"
                                    : "451 4.3.0 The message could not be stored, try again later",
                              clock_->now());
  }
  pump();
}

void InboundConnection::auth_done(bool good) {
  if (closed_) return;
  session_->auth_result(good, clock_->now());
  pump();
}

void InboundConnection::shut_down() {
  if (closed_) return;
  if (session_ == nullptr) {
    close();
    return;
  }
  session_->shut_down(clock_->now());
  pump();
}

void InboundConnection::pump() {
  if (pumping_ || closed_ || session_ == nullptr) return;
  pumping_ = true;
  const bool unread = transport_->unsent_bytes() > kUnsentOctets;
  session_->begin_turn(unread ? 0 : kTurnWork);
  smtp::ServerEvent event;
  while (!closed_ && session_->next_event(&event, clock_->now())) handle(event);
  pumping_ = false;
  if (closed_) return;
  if (!session_->output()->empty()) transport_->write(session_->output());
  const bool pause = unread || !session_->wants_input();
  if (pause != paused_) {
    paused_ = pause;
    pause ? transport_->pause_reading() : transport_->resume_reading();
  }
  // What is left is worked on after the other connections had their turn; replies nobody reads wait for
  // on_drained().
  const bool again = session_->has_more() && !unread;
  const conf::Instant deadline = again ? clock_->now() + kNextTurn : session_->deadline();
  if (deadline != deadline_) {
    deadline_ = deadline;
    transport_->set_deadline(deadline);
  }
}

void InboundConnection::handle(const smtp::ServerEvent& event) {
  using Kind = smtp::ServerEvent::Kind;
  switch (event.kind) {
    case Kind::kNone:
      break;
    case Kind::kStartTls:
      if (!session_->output()->empty()) transport_->write(session_->output());
      transport_->start_tls({});
      break;
    case Kind::kAuthenticate:
      owner_->authenticate(number_, event.user, event.secret);
      break;
    case Kind::kBeginMessage:
      begin_message();
      break;
    case Kind::kBody:
      take_body(event.bytes);
      break;
    case Kind::kMessage:
      offer(*event.envelope);
      break;
    case Kind::kAbortMessage:
      drop_body();
      break;
    case Kind::kClose:
      if (!session_->output()->empty()) transport_->write(session_->output());
      transport_->finish();
      close();
      break;
  }
}

void InboundConnection::begin_message() {
  drop_body();
  id_ = owner_->next_id();
  body_ = session_->trace_field(id_, clock_->wall());
  trace_length_ = body_.size();
}

void InboundConnection::take_body(std::string_view bytes) {
  if (no_memory_) return;
  const uint64_t needed = body_.size() + bytes.size();
  if (needed > reserved_) {
    const uint64_t more = (needed - reserved_ + kReservePiece - 1) / kReservePiece * kReservePiece;
    if (!owner_->reserve_memory(more)) {
      drop_body();
      no_memory_ = true;
      return;
    }
    reserved_ += more;
  }
  body_.append(bytes);
}

void InboundConnection::drop_body() {
  body_ = std::string();
  trace_length_ = 0;
  no_memory_ = false;
  owner_->return_memory(std::exchange(reserved_, 0));
}

void InboundConnection::offer(const conf::Envelope& envelope) {
  if (no_memory_) {
    drop_body();
    session_->message_refused("452 4.3.1 The relay is short of memory, try again later", clock_->now());
    return;
  }
  const conf::WallTime now = clock_->wall();
  const std::string missing = session_->missing_headers(id_, now);
  if (!missing.empty()) body_.insert(trace_length_, missing);
  if (body_.capacity() > body_.size() + body_.size() / 4) body_.shrink_to_fit();

  spool::MessageRecord record;
  record.id = id_;
  record.accepted_at = now;
  record.envelope = envelope;
  record.envelope.recipients.clear();
  record.size_bytes = body_.size();
  record.recipients.resize(envelope.recipients.size());
  for (size_t i = 0; i < envelope.recipients.size(); ++i)
    record.recipients[i].recipient = envelope.recipients[i];
  conf::Bytes body(std::move(body_));
  drop_body();
  owner_->offer(number_, std::move(record), std::move(body));
}

void InboundConnection::close() {
  if (closed_) return;
  closed_ = true;
  drop_body();
  transport_.reset();
  owner_->connection_closed(number_);
}

}  // namespace relay
