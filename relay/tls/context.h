// One SSL_CTX per role (OpenSSL). TLS 1.2 and up (RFC 8996), the library's default ciphers, no compression,
// no renegotiation. Safe to share between streams of one loop; sessions for resumption are kept inside,
// bounded.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "conf/vocab/result.h"

namespace relay::tls {

class Context {
 public:
  // Reads a PEM chain and a PEM key; the error names the file and what is wrong (missing, no permission, key
  // does not belong to the certificate; a key that others can read is a warning in `*warning`, may be null).
  static conf::Result<std::shared_ptr<Context>> server(const std::string& certificate_file,
                                                       const std::string& key_file, std::string* warning);
  // A key and a certificate made on the spot (P-256, signed by itself, good for a day) for `names`, not
  // empty: for receivers of load tests, whose certificates nobody verifies.
  static conf::Result<std::shared_ptr<Context>> self_signed(const std::vector<std::string>& names);
  // `ca_file` empty: the system's store (loaded on first need: it costs 40-100 ms).
  static conf::Result<std::shared_ptr<Context>> client(const std::string& ca_file);
  // Of a client context: a certificate with its chain and a key, both PEM, for TlsRequest::identity.
  conf::Status add_identity(const std::string& name, const std::string& certificate_file,
                            const std::string& key_file);
  ~Context();

  struct State;
  State* state() { return state_.get(); }  // for this folder and relay/uv

 private:
  explicit Context(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace relay::tls
