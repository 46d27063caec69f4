#include "relay/intake/inbound_connection.h"

#include <algorithm>
#include <new>
#include <utility>

#include "conf/vocab/secret.h"
#include "relay/intake/client_key.h"
#include "relay/intake/header_field.h"
#include "relay/smtp/logged_header.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {
constexpr conf::Duration kHandshakeTimeout = 1min;  // implicit TLS
constexpr size_t kUnsentOctets = 64 * 1024;  // above it commands wait: the client does not read our replies
constexpr conf::Duration kNextTurn = 1us;
constexpr uint64_t kReservePiece = 64 * 1024;  // memory is asked for in pieces of this size
constexpr uint64_t kMostSpare = 1024 * 1024;   // of it that is asked for beside what is needed
constexpr uint64_t kBigBody = 2 * kMostSpare;  // so much is copied within a millisecond or a few
// What each connection may hold without asking: the commands and recipients of most.
constexpr uint64_t kFreeOctets = 16 * 1024;
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
      gate_(options.gate),
      implicit_tls_(options.listener->implicit_tls),
      options_(std::move(options)) {
  client = relay::client_key(client_address_);
  options_.gate = this;
}

InboundConnection::~InboundConnection() { owner_->memory()->shrink(this, bytes); }

void InboundConnection::start() {
  transport_->set_user(this);
  if (implicit_tls_) {
    transport_->start_tls({});
    transport_->set_deadline(clock_->now() + kHandshakeTimeout);
    return;
  }
  session_ = std::make_unique<smtp::ServerSession>(options_, clock_->now());
  pump(clock_->now());
}

void InboundConnection::on_tls(conf::Result<TlsInfo> outcome) {
  if (!outcome.ok()) {
    note(conf::DoorReason::kTlsFailed, outcome.error().detail);
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
  pump(clock_->now());
}

void InboundConnection::on_bytes(std::string_view octets) {
  if (session_ == nullptr) return;
  const conf::Instant now = clock_->now();
  session_->receive(octets, now);
  pump(now);
}

// Only what waited for this goes on: each write that the kernel takes at once is told of here, and the turn
// that follows it must not be one more in the same round.
void InboundConnection::on_drained() {
  if (unread_) pump(clock_->now());
}

void InboundConnection::on_closed(const conf::Error& why) {
  if (why.code == conf::ErrorCode::kTimeout) {
    note(conf::DoorReason::kRepliesUnread);
  } else if (session_ != nullptr && session_->in_transaction()) {
    note(conf::DoorReason::kLostConnection, why.detail);
  }
  if (session_ != nullptr) session_->on_peer_closed();
  pump(clock_->now());
  close();
}

void InboundConnection::on_deadline() {
  deadline_ = conf::kNever;
  if (session_ == nullptr) {
    note(conf::DoorReason::kTlsFailed, "no handshake in time");
    close();
    return;
  }
  session_->on_deadline(clock_->now());
  pump(clock_->now());
}

void InboundConnection::message_done(conf::Result<spool::Receipt> result) {
  if (closed_) return;
  if (result.ok()) {
    session_->message_stored(*result, clock_->now());
  } else {
    // The reason goes into our own log; the client learns what it can use, and a refusal of policy as it is.
    const bool space = result.error().code == conf::ErrorCode::kNoSpace;
    session_->message_refused(result.error().code == conf::ErrorCode::kRefused ? result.error().detail
                              : space ? "452 4.3.1 Insufficient system storage, try again later"
                                      : "451 4.3.0 The message could not be stored, try again later",
                              clock_->now());
  }
  pump(clock_->now());
}

void InboundConnection::auth_done(smtp::AuthOutcome outcome) {
  if (closed_) return;
  session_->auth_result(outcome, clock_->now());
  pump(clock_->now());
}

void InboundConnection::shut_down() {
  if (closed_) return;
  if (session_ == nullptr) {
    close();
    return;
  }
  session_->shut_down(clock_->now());
  pump(clock_->now());
}

// The time is asked for once: all that happens here is one step of the loop.
void InboundConnection::pump(conf::Instant now) {
  if (pumping_ || closed_ || session_ == nullptr) return;
  pumping_ = true;
  unread_ = transport_->unsent_bytes() > kUnsentOctets;
  const uint32_t work = unread_ ? 0 : owner_->may_work();
  session_->begin_turn(work);
  smtp::ServerEvent event;
  while (!closed_ && session_->next_event(&event, now)) handle(&event);
  pumping_ = false;
  owner_->worked(work - session_->work_left());
  for (smtp::Trouble trouble; session_->next_trouble(&trouble);)
    note(trouble.reason, std::move(trouble.detail));
  if (closed_) return;
  if (!session_->output()->empty()) transport_->write(session_->output());
  settle_up();
  if (closed_) return;
  const bool pause = unread_ || !session_->wants_input();
  if (pause != paused_) {
    paused_ = pause;
    pause ? transport_->pause_reading() : transport_->resume_reading();
  }
  // What is left is worked on after the other connections had their turn; replies nobody reads wait for
  // on_drained().
  const bool again = session_->has_more() && !unread_;
  const conf::Instant deadline = again ? now + kNextTurn : session_->deadline();
  if (deadline != deadline_) {
    deadline_ = deadline;
    transport_->set_deadline(deadline);
  }
}

void InboundConnection::handle(smtp::ServerEvent* event) {
  using Kind = smtp::ServerEvent::Kind;
  switch (event->kind) {
    case Kind::kNone:
      break;
    case Kind::kStartTls:
      if (!session_->output()->empty()) transport_->write(session_->output());
      transport_->start_tls({});
      break;
    case Kind::kAuthenticate:
      owner_->authenticate(number_, std::move(event->user), std::move(event->secret));
      break;
    case Kind::kBeginMessage:
      begin_message();
      break;
    case Kind::kBody:
      take_body(event->bytes);
      break;
    case Kind::kMessage:
      offer(*event->envelope);
      break;
    case Kind::kWithdraw:
      owner_->withdraw(id_);
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
  header_complete_ = false;
}

void InboundConnection::take_body(std::string_view octets) {
  if (no_memory_ || !make_room(body_.size() + octets.size())) return;
  body_.append(octets);
  if (!header_complete_ && session_->header_is_over()) complete_header();
}

// As soon as it is known what the header lacks: to move all of a big body would be a long step of the loop.
void InboundConnection::complete_header() {
  header_complete_ = true;
  const std::string missing = session_->missing_headers(id_, clock_->wall());
  if (!missing.empty() && make_room(body_.size() + missing.size())) body_.insert(trace_length_, missing);
}

// The account counts what the string holds, and what it has room for as long as it is small.
bool InboundConnection::make_room(uint64_t needed) {
  if (needed <= body_reserved_) return true;
  const uint64_t spare = std::min<uint64_t>(body_.size() / 2, kMostSpare);
  const uint64_t grown = std::max<uint64_t>(needed, body_.size() + spare);
  const uint64_t target = (grown + kReservePiece - 1) / kReservePiece * kReservePiece;
  if (!owner_->memory()->grow(this, target - body_reserved_)) {
    drop_body();
    no_memory_ = true;
    return false;
  }
  body_reserved_ = target;
  if (target > kBigBody) {
    make_room_for_all(target);
  } else if (target > kReservePiece) {
    body_.reserve(target);
  }
  return true;
}

// To copy some thirty megabytes into a bigger string takes the loop a tenth of a second. So a body that gets
// big has its last room at once: so much memory is mapped for it alone, and its pages are none before they
// are written to.
void InboundConnection::make_room_for_all(uint64_t target) {
  if (body_.capacity() >= target) return;
  try {
    body_.reserve(std::max(target, options_.listener->max_message_bytes + kMostSpare));
  } catch (const std::bad_alloc&) {  // the system promises no more memory than it has
    body_.reserve(target);
  }
}

void InboundConnection::drop_body() {
  body_ = std::string();
  trace_length_ = 0;
  no_memory_ = false;
  owner_->memory()->shrink(this, std::exchange(body_reserved_, 0));
}

bool InboundConnection::can_give_way() const { return body_reserved_ > 0; }

void InboundConnection::give_way() noexcept {
  drop_body();
  no_memory_ = true;
}

bool InboundConnection::hold(uint64_t* reserved, uint64_t octets) {
  const uint64_t charged = octets <= kFreeOctets ? 0 : (octets + kFreeOctets - 1) / kFreeOctets * kFreeOctets;
  if (charged > *reserved && !owner_->memory()->grow(this, charged - *reserved)) return false;
  if (charged < *reserved) owner_->memory()->shrink(this, *reserved - charged);
  *reserved = charged;
  return true;
}

bool InboundConnection::accepting(std::string* why) const {
  return gate_ == nullptr || gate_->accepting(why);
}

bool InboundConnection::may_hold(uint64_t octets) {
  stranger = !session_->may_relay();
  return hold(&envelope_reserved_, octets);
}

std::string InboundConnection::over_quota(const std::string& user) {
  return gate_ == nullptr ? std::string() : gate_->over_quota(user);
}

std::string InboundConnection::refuses(const conf::Envelope& envelope, const conf::Recipient& recipient) {
  return gate_ == nullptr ? std::string() : gate_->refuses(envelope, recipient);
}

std::string InboundConnection::message_id(conf::MessageId id, const conf::Mailbox& reverse_path) {
  return gate_ == nullptr ? std::string() : gate_->message_id(id, reverse_path);
}

void InboundConnection::settle_up() {
  stranger = !session_->may_relay();
  // Less than what may_hold() allowed, or as much.
  (void)hold(&envelope_reserved_, session_->envelope_octets());
  const uint64_t waiting = session_->held_octets() - session_->envelope_octets() + transport_->unsent_bytes();
  if (hold(&waiting_reserved_, waiting)) return;
  note(conf::DoorReason::kShortOfMemory);
  session_->leave("421 4.3.1 " + config_->hostname + " too much waits for your connections, closing",
                  clock_->now());
  pump(clock_->now());
}

void InboundConnection::offer(const conf::Envelope& envelope) {
  if (!no_memory_ && !header_complete_) complete_header();
  if (no_memory_) {
    drop_body();
    note(conf::DoorReason::kShortOfMemory);
    session_->message_refused("452 4.3.1 The relay is short of memory, try again later", clock_->now());
    return;
  }
  const conf::WallTime now = clock_->wall();
  // The rest of what is big is no memory.
  if (body_.capacity() <= kBigBody && body_.capacity() > body_.size() + body_.size() / 4)
    body_.shrink_to_fit();

  spool::MessageRecord record;
  record.id = id_;
  record.accepted_at = now;
  record.envelope = envelope;
  record.envelope.recipients.clear();
  record.size_bytes = body_.size();
  record.envelope.mandated = has_header_field(body_, config_->quarantine.bypass_header);
  if (options_.listener->role != conf::ListenerRole::kBounce)
    record.header = smtp::logged_header(body_, config_->logged_fields);
  record.recipients.resize(envelope.recipients.size());
  for (size_t i = 0; i < envelope.recipients.size(); ++i)
    record.recipients[i].recipient = envelope.recipients[i];
  conf::Bytes body(std::move(body_));
  drop_body();
  if (options_.listener->role == conf::ListenerRole::kBounce) {
    owner_->offer_returned(number_, std::move(record), std::move(body));
  } else {
    owner_->offer(number_, std::move(record), std::move(body));
  }
}

void InboundConnection::note(conf::DoorReason reason, std::string detail) {
  conf::DoorEvent event;
  event.reason = reason;
  event.client = client_address_;
  event.listener = listener_name_;
  event.detail = std::move(detail);
  owner_->refused(std::move(event));
}

void InboundConnection::close() {
  if (closed_) return;
  closed_ = true;
  drop_body();
  owner_->memory()->shrink(this, bytes);
  envelope_reserved_ = waiting_reserved_ = 0;
  transport_.reset();
  owner_->connection_closed(number_);
}

}  // namespace relay
