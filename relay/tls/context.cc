#include "relay/tls/context.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "conf/read_file.h"
#include "relay/tls/context_state.h"

namespace relay::tls {

namespace {

constexpr size_t kKeptSessions = 10'000;

// `where` begins the message. A named pipe would keep whoever opens it until somebody writes there.
conf::Status readable(const std::string& file, const std::string& where) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return conf::Error{conf::ErrorCode::kIo, where + "cannot read " + file + ": " + conf::reason_text(errno)};
  struct stat info {};
  const bool regular = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  ::close(descriptor);
  if (regular) return conf::success();
  return conf::Error{conf::ErrorCode::kIo, where + "cannot read " + file + ": it is no regular file"};
}

bool open_to_others(const std::string& file) {
  struct stat info {};
  return stat(file.c_str(), &info) == 0 && (info.st_mode & (S_IRWXO | S_IWGRP)) != 0;
}

}  // namespace

std::unique_ptr<SSL_CTX, CtxFree> make_ctx(const SSL_METHOD* method) {
  std::unique_ptr<SSL_CTX, CtxFree> ctx(SSL_CTX_new(method));
  SSL_CTX_set_min_proto_version(ctx.get(), TLS1_2_VERSION);  // RFC 8996
  SSL_CTX_set_options(ctx.get(),
                      SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(ctx.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Asked for a passphrase, OpenSSL would ask on the terminal: a service has none.
  SSL_CTX_set_default_passwd_cb(ctx.get(), [](char*, int, int, void*) { return -1; });
  return ctx;
}

namespace {

// TLS 1.2 with forward secrecy and AEAD only (RFC 9325 §4.2), in our order; what TLS 1.3 has is good as it
// is.
bool harden_server(SSL_CTX* ctx) {
  SSL_CTX_set_options(ctx,
                      SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CLEANSE_PLAINTEXT);
  return SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
         SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1;
}

// The server chooses the size of a DHE group, and its cost is ours: one handshake with 10,000 bits took 0.9
// s.
bool harden_client(SSL_CTX* ctx) {
  return SSL_CTX_set_cipher_list(ctx, "DEFAULT:!kDHE") == 1 &&
         SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384:P-521") == 1;
}

// Without the buffers of a file, which nobody wipes: its text is nowhere in memory afterwards.
bool use_key(SSL_CTX* ctx, const std::string& file) {
  conf::Result<std::string> text = conf::read_regular_file(file);
  if (!text.ok()) return false;
  BIO* bio = BIO_new_mem_buf(text->data(), static_cast<int>(text->size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, SSL_CTX_get_default_passwd_cb(ctx), nullptr);
  BIO_free(bio);
  OPENSSL_cleanse(text->data(), text->size());
  const bool used = key != nullptr && SSL_CTX_use_PrivateKey(ctx, key) == 1;
  EVP_PKEY_free(key);
  return used;
}

// `where` begins the messages: "[tls] ".
conf::Status use_pair(SSL_CTX* ctx, const std::string& certificate_file, const std::string& key_file,
                      const std::string& where) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(ctx, certificate_file.c_str()) != 1) {
    return conf::invalid(
        openssl_error(where + "certificate: " + certificate_file + " is not a PEM certificate chain"));
  }
  if (!use_key(ctx, key_file)) {
    const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    ERR_clear_error();
    return conf::invalid(
        mismatch ? where + "key: " + key_file + " does not belong to the certificate in " + certificate_file
                 : where + "key: " + key_file + " is not a PEM private key without a passphrase");
  }
  if (SSL_CTX_check_private_key(ctx) != 1) {
    return conf::invalid(openssl_error(where + "key: " + key_file + " does not belong to the certificate"));
  }
  return conf::success();
}

}  // namespace

std::string openssl_error(const std::string& what) {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? what : what + ": " + reason;
}

void Context::State::keep_session(const std::string& key, SSL_SESSION* session) {
  const auto found = by_key.find(key);
  if (found != by_key.end()) {
    sessions.erase(found->second);
    by_key.erase(found);
  }
  sessions.emplace_front(key, std::unique_ptr<SSL_SESSION, SessionFree>(session));
  by_key[key] = sessions.begin();
  if (sessions.size() > kKeptSessions) {
    by_key.erase(sessions.back().first);
    sessions.pop_back();
  }
}

SSL_SESSION* Context::State::session_for(const std::string& key) {
  const auto found = by_key.find(key);
  return found == by_key.end() ? nullptr : found->second->second.get();
}

conf::Status Context::State::load_store() {
  if (std::exchange(store_loaded, true)) return store_status;
  const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(ctx.get())
                                     : SSL_CTX_load_verify_locations(ctx.get(), ca_file.c_str(), nullptr);
  if (loaded != 1) {
    store_status = conf::invalid(openssl_error("the certificates to verify with cannot be read" +
                                               (ca_file.empty() ? "" : " from " + ca_file)));
  }
  return store_status;
}

conf::Result<std::shared_ptr<Context>> Context::server(const std::string& certificate_file,
                                                       const std::string& key_file, std::string* warning) {
  auto state = std::make_unique<State>();
  state->ctx = make_ctx(TLS_server_method());
  SSL_CTX* ctx = state->ctx.get();
  if (!harden_server(ctx)) return conf::invalid(openssl_error("[tls]: no suites with forward secrecy"));
  for (const auto& [file, key] : {std::pair(certificate_file, "certificate"), std::pair(key_file, "key")}) {
    const conf::Status status = readable(file, std::string("[tls] ") + key + ": ");
    if (!status.ok()) return status.error();
  }
  const conf::Status pair = use_pair(ctx, certificate_file, key_file, "[tls] ");
  if (!pair.ok()) return pair.error();
  if (warning != nullptr && open_to_others(key_file))
    *warning = "the key in " + key_file + " is open to others: chmod 640 " + key_file;
  static constexpr unsigned char kSessionContext[] = "penstock";
  SSL_CTX_set_session_id_context(ctx, kSessionContext, sizeof kSessionContext - 1);
  return std::shared_ptr<Context>(new Context(std::move(state)));
}

conf::Result<std::shared_ptr<Context>> Context::client(const std::string& ca_file) {
  auto state = std::make_unique<State>();
  state->ctx = make_ctx(TLS_client_method());
  if (!harden_client(state->ctx.get())) return conf::Error{conf::ErrorCode::kIo, openssl_error("TLS")};
  state->is_client = true;
  state->ca_file = ca_file;
  if (!ca_file.empty()) {  // a mistake in it is to be known at the start
    const conf::Status status = readable(ca_file, "[tls] ca_file: ");
    if (!status.ok()) return status.error();
    const conf::Status loaded = state->load_store();
    if (!loaded.ok()) return loaded.error();
  }
  SSL_CTX_set_session_cache_mode(state->ctx.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(state->ctx.get(), [](SSL* ssl, SSL_SESSION* session) {
    auto* key = static_cast<std::string*>(SSL_get_ex_data(ssl, 0));
    auto* owner = static_cast<State*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0));
    if (key == nullptr || key->empty()) return 0;
    owner->keep_session(*key, session);
    return 1;  // it is ours now
  });
  SSL_CTX_set_ex_data(state->ctx.get(), 0, state.get());
  return std::shared_ptr<Context>(new Context(std::move(state)));
}

conf::Status Context::add_identity(const std::string& name, const std::string& certificate_file,
                                   const std::string& key_file) {
  const std::string where = "[[login]] " + name + ": ";
  for (const std::string& file : {certificate_file, key_file}) {
    const conf::Status status = readable(file, where);
    if (!status.ok()) return status;
  }
  if (open_to_others(key_file))
    return conf::invalid(where + "the key in " + key_file + " is open to others: chmod 640 " + key_file);
  State::Identity identity;
  identity.holder = make_ctx(TLS_client_method());
  const conf::Status used = use_pair(identity.holder.get(), certificate_file, key_file, where);
  if (!used.ok()) return used;
  state_->identities[name] = std::move(identity);
  return conf::success();
}

Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Context::~Context() = default;

}  // namespace relay::tls
