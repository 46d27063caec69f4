#include "relay/tls/session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

#include "relay/tls/context_state.h"
#include "relay/tls/reference_identity.h"

namespace relay::tls {

namespace {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

constexpr size_t kRecordOctets = 16 * 1024;
// New keys and tickets after the handshake: some, and some more for what was received. Each costs the work of
// a key, and a peer could send nothing else.
constexpr uint64_t kMessagesAfterHandshake = 32;
// What a client has to say in a handshake is two kilobytes, with keys of the future a few more; OpenSSL would
// keep 128 KB for a message that does not end.
constexpr uint64_t kClientHandshakeOctets = 48 * 1024;  // with 32 KB of mail right behind it
constexpr uint64_t kOctetsForOneMore = 1 << 20;

}  // namespace

struct Session::State {
  std::shared_ptr<Context> context;
  std::string session_key;
  bool verify = false;
  bool peer_closed = false;
  bool shaken = false;            // the handshake is over
  uint64_t after_handshake = 0;   // messages of TLS itself since then
  uint64_t received = 0;          // octets for us
  uint64_t handshake_octets = 0;  // octets of the peer's, when we are the server
  conf::Error broken;  // with a detail: the session could not be set up, and nothing goes through it
  std::unique_ptr<SSL, SslFree> ssl;
  BIO* in = nullptr;  // both belong to `ssl`
  BIO* out = nullptr;

  conf::Error failure(const std::string& what) const {
    const long verified = SSL_get_verify_result(ssl.get());
    if (verify && verified != X509_V_OK) {
      ERR_clear_error();
      return {conf::ErrorCode::kRefused,
              std::string("certificate verify failed: ") + X509_verify_cert_error_string(verified)};
    }
    return {conf::ErrorCode::kIo, openssl_error(what)};
  }
  void break_off(const std::string& why) {
    if (broken.detail.empty()) broken = {conf::ErrorCode::kRefused, why};
    ERR_clear_error();
  }
  // Binds the certificate of the peer to `reference`. SAN only: RFC 9525 §2 has done with the common name.
  void demand(const ReferenceIdentity& reference, const std::string& text) {
    using Kind = ReferenceIdentity::Kind;
    const conf::Status store = context->state()->load_store();
    if (!store.ok()) return break_off(store.error().detail);
    SSL_set_verify(ssl.get(), SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM* param = SSL_get0_param(ssl.get());
    X509_VERIFY_PARAM_set_hostflags(
        param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const bool bound =
        reference.kind == Kind::kName
            ? X509_VERIFY_PARAM_set1_host(param, reference.name.data(), reference.name.size()) == 1
        : reference.kind == Kind::kAddress
            ? X509_VERIFY_PARAM_set1_ip(param, reference.address.data(), reference.address_octets) == 1
            : false;
    if (!bound) break_off("certificate verify failed: no certificate can be made out to \"" + text + '"');
  }
  // SSL_set_msg_callback(). OpenSSL would work off all that lies in `in` before it comes back.
  static void heard(int ours, int, int type, const void*, size_t, SSL*, void* state) {
    static_cast<State*>(state)->heard(ours != 0, type);
  }
  void heard(bool ours, int type) {
    if (ours || type != SSL3_RT_HANDSHAKE || !shaken) return;
    if (++after_handshake <= kMessagesAfterHandshake + received / kOctetsForOneMore) return;
    if (broken.detail.empty())
      broken = {conf::ErrorCode::kRefused, "the peer asks for new TLS keys again and again"};
    BIO_reset(in);
  }
  void watch() {
    SSL_set_msg_callback(ssl.get(), &State::heard);
    SSL_set_msg_callback_arg(ssl.get(), this);
  }
  // Carries the handshake on; success also when it only waits for the peer.
  conf::Status handshake() {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl.get());
    if (done == 1) return conf::success();
    const int error = SSL_get_error(ssl.get(), done);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return conf::success();
    return failure("TLS handshake failed");
  }
};

namespace {

// Shown when the server asks for one. False: it cannot be used.
bool show_identity(SSL* ssl, SSL_CTX* holder) {
  STACK_OF(X509)* chain = nullptr;
  if (SSL_use_certificate(ssl, SSL_CTX_get0_certificate(holder)) != 1 ||
      SSL_use_PrivateKey(ssl, SSL_CTX_get0_privatekey(holder)) != 1)
    return false;
  return SSL_CTX_get0_chain_certs(holder, &chain) != 1 || chain == nullptr || SSL_set1_chain(ssl, chain) == 1;
}

}  // namespace

std::unique_ptr<Session> Session::accept(std::shared_ptr<Context> context) {
  auto state = std::make_unique<State>();
  state->ssl.reset(SSL_new(context->state()->ctx.get()));
  state->context = std::move(context);
  state->in = BIO_new(BIO_s_mem());
  state->out = BIO_new(BIO_s_mem());
  SSL_set_bio(state->ssl.get(), state->in, state->out);
  SSL_set_accept_state(state->ssl.get());
  state->watch();
  return std::unique_ptr<Session>(new Session(std::move(state)));
}

std::unique_ptr<Session> Session::connect(std::shared_ptr<Context> context,
                                          const Transport::TlsRequest& request) {
  auto state = std::make_unique<State>();
  SSL* ssl = SSL_new(context->state()->ctx.get());
  state->ssl.reset(ssl);
  state->context = std::move(context);
  state->session_key = request.session_key;
  state->verify = request.verify;
  state->in = BIO_new(BIO_s_mem());
  state->out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, state->in, state->out);
  SSL_set_connect_state(ssl);
  state->watch();
  const ReferenceIdentity reference = parse_reference(request.server_name);
  const bool is_name = reference.kind == ReferenceIdentity::Kind::kName;
  // A session that was made without a look at the name must not be resumed where the name counts.
  if (request.verify && !state->session_key.empty()) state->session_key += "\nfor " + request.server_name;
  // Nor one of another identity, or of a version that is too old now.
  if (!state->session_key.empty() && !request.identity.empty())
    state->session_key += "\nas " + request.identity;
  if (request.only_13) {
    if (!state->session_key.empty()) state->session_key += "\n1.3";
    if (SSL_set_min_proto_version(ssl, TLS1_3_VERSION) != 1) state->break_off("TLS 1.3 is not there");
  }
  if (!request.identity.empty()) {
    const auto& identities = state->context->state()->identities;
    const auto identity = identities.find(request.identity);
    if (identity == identities.end() || !show_identity(ssl, identity->second.holder.get()))
      state->break_off("the certificate of login " + request.identity + " cannot be used");
  }
  if (SSL_set_ex_data(ssl, 0, &state->session_key) != 1) state->break_off("no memory for TLS");
  // RFC 6066 §3: names only
  if (is_name && SSL_set_tlsext_host_name(ssl, reference.name.c_str()) != 1) {
    state->break_off("the name \"" + request.server_name + "\" cannot be asked for (SNI)");
  }
  if (request.verify) state->demand(reference, request.server_name);
  if (!state->session_key.empty()) {
    SSL_SESSION* kept = state->context->state()->session_for(state->session_key);
    if (kept != nullptr && SSL_set_session(ssl, kept) != 1) ERR_clear_error();  // then a full handshake
  }
  return std::unique_ptr<Session>(new Session(std::move(state)));
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

conf::Status Session::receive(std::string_view cipher, std::string* plain) {
  if (!state_->broken.detail.empty()) return state_->broken;
  if (!cipher.empty()) BIO_write(state_->in, cipher.data(), static_cast<int>(cipher.size()));
  SSL* ssl = state_->ssl.get();
  if (SSL_is_server(ssl) == 1 && !state_->shaken &&
      (state_->handshake_octets += cipher.size()) > kClientHandshakeOctets)
    state_->break_off("the peer's handshake has no end");
  if (!state_->broken.detail.empty()) return state_->broken;
  if (!SSL_is_init_finished(ssl)) {
    conf::Status status = state_->handshake();
    if (!status.ok() || !SSL_is_init_finished(ssl)) return status;
  }
  state_->shaken = true;
  for (;;) {
    const size_t had = plain->size();
    plain->resize(had + kRecordOctets);
    ERR_clear_error();
    const int got = SSL_read(ssl, plain->data() + had, static_cast<int>(kRecordOctets));
    plain->resize(had + static_cast<size_t>(got > 0 ? got : 0));
    if (got > 0) {
      state_->received += static_cast<uint64_t>(got);
      continue;
    }
    if (!state_->broken.detail.empty()) return state_->broken;
    switch (SSL_get_error(ssl, got)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return conf::success();
      case SSL_ERROR_ZERO_RETURN:
        state_->peer_closed = true;
        return conf::success();
      default:
        return state_->failure("TLS stream broken");
    }
  }
}

conf::Status Session::send(std::string_view plain) {
  if (!state_->broken.detail.empty()) return state_->broken;
  while (!plain.empty()) {
    ERR_clear_error();
    const int sent =
        SSL_write(state_->ssl.get(), plain.data(), static_cast<int>(std::min<size_t>(plain.size(), 1 << 20)));
    if (sent <= 0) return state_->failure("TLS stream broken");
    plain.remove_prefix(static_cast<size_t>(sent));
  }
  return conf::success();
}

void Session::close() {
  if (!SSL_is_init_finished(state_->ssl.get())) return;
  ERR_clear_error();
  SSL_shutdown(state_->ssl.get());
}

std::string_view Session::pending() const {
  char* data = nullptr;
  const long size = BIO_get_mem_data(state_->out, &data);
  return {data, static_cast<size_t>(size)};
}

void Session::consume(size_t count) {
  char scratch[4096];
  while (count > 0) {
    const int got = BIO_read(state_->out, scratch, static_cast<int>(std::min(count, sizeof scratch)));
    if (got <= 0) return;
    count -= static_cast<size_t>(got);
  }
}

bool Session::established() const {
  return state_->broken.detail.empty() && SSL_is_init_finished(state_->ssl.get()) == 1;
}
bool Session::peer_closed() const { return state_->peer_closed; }

TlsInfo Session::info() const {
  SSL* ssl = state_->ssl.get();
  TlsInfo info;
  info.version = SSL_get_version(ssl);
  info.cipher = SSL_get_cipher_name(ssl);
  info.verified =
      state_->verify && SSL_get_verify_result(ssl) == X509_V_OK && SSL_get0_peer_certificate(ssl) != nullptr;
  info.resumed = SSL_session_reused(ssl) == 1;
  return info;
}

}  // namespace relay::tls
