#include "relay/smtp/client_session.h"

#include "relay/smtp/client_core.h"

namespace relay::smtp {

struct ClientSession::State {
  ClientCore core;
};

ClientSession::ClientSession(ClientOptions options, conf::Instant now)
    : state_(new State{ClientCore(std::move(options), now)}) {}
ClientSession::~ClientSession() = default;

void ClientSession::receive(std::string_view bytes, conf::Instant now) { state_->core.receive(bytes, now); }
bool ClientSession::next_event(ClientEvent* event, conf::Instant) { return state_->core.next_event(event); }
OutQueue* ClientSession::output() { return &state_->core.output; }
conf::Instant ClientSession::deadline() const { return state_->core.deadline(); }
void ClientSession::on_deadline(conf::Instant now) { state_->core.on_deadline(now); }
void ClientSession::on_written(conf::Instant now) { state_->core.on_written(now); }
void ClientSession::on_peer_closed(std::string_view why, conf::Instant) { state_->core.on_peer_closed(why); }

void ClientSession::tls_established(const TlsInfo& tls, conf::Instant now) {
  state_->core.tls_established(tls, now);
}
void ClientSession::tls_failed(std::string_view why, conf::Instant) { state_->core.tls_failed(why); }

void ClientSession::log_in(std::string secret, conf::Instant now) {
  state_->core.log_in(std::move(secret), now);
}
void ClientSession::secret_missing(std::string_view why) { state_->core.secret_missing(why); }

bool ClientSession::ready() const { return state_->core.state() == ClientState::kReady; }
bounce::Stage ClientSession::stage() const { return stage_of(state_->core.state()); }
void ClientSession::begin(Transaction transaction, conf::Instant now) {
  state_->core.begin(std::move(transaction), now);
}
void ClientSession::quit(conf::Instant now) { state_->core.quit(now); }

const PeerFeatures& ClientSession::peer() const { return state_->core.peer; }
const TlsInfo* ClientSession::tls() const { return state_->core.tls ? &*state_->core.tls : nullptr; }
uint32_t ClientSession::transactions() const { return state_->core.transactions; }
const Lessons& ClientSession::lessons() const { return state_->core.lessons; }

}  // namespace relay::smtp
