// What the files of this folder share about a Context.
#pragma once

#include <openssl/ssl.h>

#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "relay/tls/context.h"

namespace relay::tls {

struct CtxFree {
  void operator()(SSL_CTX* ctx) const { SSL_CTX_free(ctx); }
};
struct SessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

struct Context::State {
  std::unique_ptr<SSL_CTX, CtxFree> ctx;
  std::string ca_file;
  bool is_client = false;
  bool store_loaded = false;
  conf::Status store_status = conf::success();  // of the only attempt

  struct Identity {
    std::unique_ptr<SSL_CTX, CtxFree> holder;  // of certificate, chain and key
  };
  std::map<std::string, Identity> identities;  // by name

  // Client sessions for resumption, by key; the oldest go when there are too many.
  using Kept = std::pair<std::string, std::unique_ptr<SSL_SESSION, SessionFree>>;
  std::list<Kept> sessions;  // the latest first
  std::unordered_map<std::string, std::list<Kept>::iterator> by_key;

  void keep_session(const std::string& key, SSL_SESSION* session);  // takes it
  SSL_SESSION* session_for(const std::string& key);                 // null: none; ours still
  conf::Status load_store();                                        // what certificates are verified with
};

// With the settings that all contexts share.
std::unique_ptr<SSL_CTX, CtxFree> make_ctx(const SSL_METHOD* method);

// "what: reason", from OpenSSL's error queue, which is empty afterwards.
std::string openssl_error(const std::string& what);

}  // namespace relay::tls
