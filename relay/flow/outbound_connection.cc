#include "relay/flow/outbound_connection.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"

namespace relay {

std::string address_text(const Target& target) {
  const bool v6 = target.address.find(':') != std::string::npos;
  return (v6 ? '[' + target.address + ']' : target.address) + ':' + std::to_string(target.port);
}

namespace {

// RFC 4954 §6: about the user or his secret. A mechanism that is not taken is the server's own.
bool refuses_login(const bounce::Reply& reply) {
  const bounce::EnhancedStatus& status = reply.enhanced;
  const bool of_mechanism = status.present() && status.subject == 5 && status.detail == 4;
  return reply.permanent() && reply.code != 504 && !of_mechanism;
}

}  // namespace

OutboundConnection::OutboundConnection(Plan plan, queue::Path* path, Network* network, Secrets* secrets,
                                       const conf::Clock* clock, Owner* owner)
    : plan_(std::move(plan)),
      path_(path),
      network_(network),
      secrets_(secrets),
      clock_(clock),
      owner_(owner),
      started_(clock->now()),
      target_started_(started_),
      ready_at_(started_),
      last_octet_(started_),
      silent_until_it_(started_) {
  CHECK(!plan_.targets.empty());
}

OutboundConnection::~OutboundConnection() = default;

void OutboundConnection::start() {
  if (next_target()) return;
  ended_ = true;
  owner_->connection_ended(this);
}

bool OutboundConnection::next_target() {
  // A host that only its limits keep from us is well: those behind it are not for us (RFC 5321 §5.1).
  uint16_t worst = UINT16_MAX;
  for (; target_ < plan_.targets.size(); ++target_) {
    if (target().rank > worst) continue;
    if (!owner_->target_began(this, target())) {
      worst = std::min(worst, target().rank);
      continue;
    }
    open_target();
    return true;
  }
  target_ = plan_.targets.size() - 1;
  return false;
}

void OutboundConnection::open_target() {
  ++*fetches_;
  connected_ = false;
  implicit_tls_.reset();
  unheard_.clear();
  unheard_end_.reset();
  old_session_ = std::move(session_);
  target_started_ = last_octet_ = silent_until_it_ = clock_->now();
  transport_ = network_->connect({target().address, target().port, plan_.source_address}, this);
  deadline_ = conf::kNever;
  set_deadline(target_started_ + plan_.options.timeouts.connect);
}

void OutboundConnection::set_deadline(conf::Instant when) {
  if (when == deadline_ || transport_ == nullptr) return;
  deadline_ = when;
  transport_->set_deadline(when);
}

std::string OutboundConnection::tls_version() const {
  const TlsInfo* tls = session_ == nullptr ? nullptr : session_->tls();
  return tls == nullptr ? std::string() : tls->version;
}

void OutboundConnection::send(smtp::Transaction transaction) {
  CHECK(idle());
  rest_until_ = conf::kNever;
  const conf::Instant now = clock_->now();
  session_->begin(std::move(transaction), now);
  pump(now);
}

void OutboundConnection::rest(conf::Duration at_most) {
  rest_until_ = clock_->now() + at_most;
  if (!pumping_) set_deadline(rest_until_);
}

void OutboundConnection::stay() {
  rest_until_ = conf::kNever;
  if (!pumping_) set_deadline(conf::kNever);
}

void OutboundConnection::quit() {
  CHECK(idle());
  rest_until_ = conf::kNever;
  quitting_ = true;
  session_->quit(clock_->now());
  pump(clock_->now());
}

void OutboundConnection::on_connected() {
  connected_ = true;
  last_octet_ = silent_until_it_ = clock_->now();
  if (target().implicit_tls) {
    start_tls();
    set_deadline(clock_->now() + plan_.options.timeouts.tls);
  } else {
    begin_session();
  }
}

void OutboundConnection::begin_session() {
  smtp::ClientOptions options = plan_.options;
  options.left_out = target().left_out;
  options.refused_auth = target().refused_auth;
  if (target().log_in && !plan_.login.user.empty())
    options.login = {plan_.login.user, plan_.login.mechanism, plan_.login.without_tls};
  options.tls_info = implicit_tls_;
  if (target().wants_tls && options.tls == conf::TlsMode::kOpportunistic)
    options.tls = conf::TlsMode::kRequired;
  if (in_clear_) options.left_out.add(smtp::Extension::kStartTls);
  options.tls_fallback = options.tls == conf::TlsMode::kOpportunistic && plan_.tls_fallback_to_clear &&
                         !plan_.tls_verify && (!options.login || options.login->without_tls);
  session_ = std::make_unique<smtp::ClientSession>(std::move(options), clock_->now());
  pump(clock_->now());
}

void OutboundConnection::on_bytes(std::string_view bytes) {
  if (session_ == nullptr) return;
  const conf::Instant now = clock_->now();
  if (last_octet_ != now) silent_until_it_ = last_octet_;
  last_octet_ = now;
  // What comes to one that is idle is heard at once: it must not be taken for a reply to what is sent next.
  if (!unheard_.empty() || (!idle() && !owner_->may_hear(this, bytes.size()))) {
    if (unheard_.empty()) transport_->pause_reading();
    unheard_ += bytes;
    return;
  }
  session_->receive(bytes, now);
  pump(now);
}

void OutboundConnection::hear() {
  const std::string bytes = std::exchange(unheard_, {});
  const std::optional<conf::Error> end = std::exchange(unheard_end_, std::nullopt);
  if (bytes.empty() || session_ == nullptr || transport_ == nullptr) return;
  if (!end) transport_->resume_reading();
  const smtp::ClientSession* const session = session_.get();
  session_->receive(bytes, clock_->now());
  pump(clock_->now());
  if (end && !ended_ && session_.get() == session && transport_ != nullptr) on_closed(*end);
}

void OutboundConnection::on_tls(conf::Result<TlsInfo> outcome) {
  if (session_ == nullptr) {  // implicit
    if (!outcome.ok()) {
      give_up_target(bounce::Stage::kTls, bounce::Reply::make(0, outcome.error().detail));
      return;
    }
    implicit_tls_ = std::move(*outcome);
    begin_session();
    return;
  }
  if (outcome.ok()) {
    session_->tls_established(*outcome, clock_->now());
  } else {
    session_->tls_failed(outcome.error().detail, clock_->now());
  }
  pump(clock_->now());
}

void OutboundConnection::start_tls() {
  Transport::TlsRequest request;
  request.server_name = target().host;
  request.verify = plan_.tls_verify;
  request.only_13 = plan_.only_tls_13;
  if (target().log_in && !plan_.login.certificate.empty()) request.identity = plan_.login.name;
  request.session_key = target().host + ' ' + target().address + (plan_.tls_verify ? " verified" : "");
  transport_->start_tls(request);
}

// The answer may come when this session, or all of the connection, is gone.
void OutboundConnection::fetch_secret() {
  const int question = ++*fetches_;
  secrets_->get(plan_.login.name,
                [this, question, latest = std::weak_ptr<int>(fetches_)](conf::Result<std::string> secret) {
                  const std::shared_ptr<int> alive = latest.lock();
                  if (alive == nullptr || *alive != question || session_ == nullptr) {
                    if (secret.ok()) smtp::wipe(&*secret);
                    return;
                  }
                  secret_missing_ = !secret.ok();
                  if (secret.ok()) {
                    session_->log_in(std::move(*secret), clock_->now());
                  } else {
                    session_->secret_missing(secret.error().detail);
                  }
                  pump(clock_->now());
                });
}

void OutboundConnection::on_drained() {
  if (session_ == nullptr) return;
  const conf::Instant now = clock_->now();
  last_octet_ = silent_until_it_ = now;
  session_->on_written(now);
  pump(now);
}

void OutboundConnection::on_closed(const conf::Error& why) {
  if (session_ == nullptr) {
    const bool in_tls = target().implicit_tls && connected_;
    give_up_target(in_tls ? bounce::Stage::kTls : bounce::Stage::kConnect,
                   bounce::Reply::make(0, why.detail));
    return;
  }
  if (!unheard_.empty()) {
    unheard_end_ = why;
    return;
  }
  session_->on_peer_closed(why.detail, clock_->now());
  pump(clock_->now());
}

void OutboundConnection::on_deadline() {
  deadline_ = conf::kNever;
  if (session_ == nullptr) {
    give_up_target(
        connected_ ? bounce::Stage::kTls : bounce::Stage::kConnect,
        bounce::Reply::make(0, connected_ ? "the TLS handshake took too long" : "connecting took too long"));
    return;
  }
  if (!unheard_.empty()) return;  // it spoke in time
  if (session_->ready() && rest_until_ <= clock_->now()) {
    quit();
    return;
  }
  session_->on_deadline(clock_->now());
  pump(clock_->now());
}

// The time is asked for once: all that happens here is one step of the loop.
void OutboundConnection::pump(conf::Instant now) {
  if (pumping_ || ended_) return;
  pumping_ = true;
  smtp::ClientEvent event;
  while (session_ != nullptr && session_->next_event(&event, now)) handle(event);
  pumping_ = false;
  old_session_.reset();
  if (ended_ || session_ == nullptr) return;
  write_output(now);
  set_deadline(session_->ready() ? rest_until_ : session_->deadline());
}

bounce::Stage OutboundConnection::stage() const {
  return session_ == nullptr ? bounce::Stage::kConnect : session_->stage();
}

void OutboundConnection::write_output(conf::Instant now) {
  if (session_->output()->empty()) return;
  last_octet_ = silent_until_it_ = now;
  transport_->write(session_->output());
}

void OutboundConnection::handle(smtp::ClientEvent& event) {
  switch (event.kind) {
    case smtp::ClientEvent::Kind::kNone:
      break;
    case smtp::ClientEvent::Kind::kStartTls: {
      write_output(clock_->now());
      start_tls();
      break;
    }
    case smtp::ClientEvent::Kind::kSecretWanted:
      fetch_secret();
      break;
    case smtp::ClientEvent::Kind::kReady:
      if (!session_->ready()) break;  // it closed in the same breath: kClosed follows
      if (!ever_ready_) ready_at_ = clock_->now();
      if (!ever_ready_ && target().log_in) owner_->login_done(this, target(), true);
      ever_ready_ = true;
      if (event.reply.code != 0) tls_trouble_ = "STARTTLS was refused: " + event.reply.text();
      if (!tls_trouble_.empty()) owner_->tls_failed(this, target(), std::exchange(tls_trouble_, {}));
      owner_->connection_ready(this);
      break;
    case smtp::ClientEvent::Kind::kTransactionDone:
      owner_->transaction_done(this, std::move(event.outcomes));
      break;
    case smtp::ClientEvent::Kind::kClosed:
      session_closed(event);
      break;
  }
}

void OutboundConnection::session_closed(const smtp::ClientEvent& event) {
  end_ = event;
  std::unique_ptr<Transport> leaves = std::move(transport_);
  // Nobody waits for the rest of a message, and who said goodbye does not count the connection any more.
  const bool goodbye = event.reply.code == 221 || event.reply.code == 421;
  const bool waits = !event.content_unsent && !goodbye;
  if (!event.content_unsent) {
    if (!session_->output()->empty()) leaves->write(session_->output());
    if (waits) leaves->hold(when_gone());
    leaves->finish();  // perhaps that was the end of it, and the next connection is begun
  } else {
    session_->output()->clear();
  }
  leaves.reset();
  if (!waits) stream_gone();
}

// The receiver counts a connection until it is closed: only then another one takes its place.
std::shared_ptr<const void> OutboundConnection::when_gone() {
  return {nullptr, [this, alive = std::weak_ptr<int>(fetches_)](const void*) {
            if (!alive.expired()) stream_gone();
          }};
}

void OutboundConnection::stream_gone() {
  const smtp::ClientEvent event = std::exchange(end_, {});
  bounce::Reply reply = event.reply.code != 0 ? event.reply : bounce::Reply::make(0, event.error);
  if (event.tls_failed && !ever_ready_ && !in_clear_) {
    if (!owner_->target_began(this, target())) return give_up_target(event.stage, std::move(reply));
    in_clear_ = true;
    tls_trouble_ = "TLS failed: " + reply.text();
    open_target();
    return;
  }
  if (event.tls_failed) owner_->tls_failed(this, target(), "TLS failed: " + reply.text());
  blameless_ = event.blameless;
  give_up_target(event.stage, std::move(reply));
}

void OutboundConnection::give_up_target(bounce::Stage stage, bounce::Reply reply) {
  transport_.reset();
  error_.stage = stage;
  error_.reply = std::move(reply);
  error_.mx_host = target().host;
  error_.mx_address = target().address;
  if (!ever_ready_) {
    // Another host would be told the same secret: a few of those, and the account is locked. One that was not
    // told, or cannot say now, is passed by for the next.
    const bool unlogged = stage == bounce::Stage::kLogin;
    const bool last =
        unlogged && (refuses_login(error_.reply) || secret_missing_ || target_ + 1 == plan_.targets.size());
    if (last) owner_->login_done(this, target(), false);
    owner_->target_failed(this, target());
    if (last) plan_.targets.resize(target_ + 1);
    ++target_;
    in_clear_ = false;
    tls_trouble_.clear();
    if (next_target()) return;
  }
  ended_ = true;
  owner_->connection_ended(this);
}

}  // namespace relay
