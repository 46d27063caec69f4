// Messages and keys for the tests of this room.
#pragma once

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "conf/dkim_settings.h"
#include "dkim/opendkim_verifier.h"
#include "dkim/private_key.h"
#include "dkim/signer.h"

namespace dkim {

inline constexpr conf::WallTime kThen = conf::WallTime(std::chrono::seconds(1'700'000'000));

inline std::string with_crlf(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && (out.empty() || out.back() != '\r')) out += '\r';
    out += c;
  }
  return out;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string sample_mail() {
  return with_crlf(
      "Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\n"
      "From: \"A, B\" <author@example.com>\n"
      "To: one@example.net,\n two@example.net\n"
      "Subject:  receipt   for\tyou \n"
      "Date: Mon, 1 Jan 2024 00:00:00 +0000\n"
      "Message-ID: <1@example.com>\n"
      "\n"
      "Hello  there \t\n\n\n end\n\n\n");
}

inline const std::shared_ptr<const PrivateKey>& rsa_key() {
  static const std::shared_ptr<const PrivateKey> kKey = PrivateKey::generate(Algorithm::kRsaSha256, 2048);
  return kKey;
}
inline const std::shared_ptr<const PrivateKey>& ed_key() {
  static const std::shared_ptr<const PrivateKey> kKey = PrivateKey::generate(Algorithm::kEd25519Sha256, 0);
  return kKey;
}

inline SigningKey signing_key(std::shared_ptr<const PrivateKey> key, std::string selector = "s1") {
  return {std::move(key), "example.com", std::move(selector), {}};
}

inline std::string record_of(const PrivateKey& key) {
  return std::string("v=DKIM1; k=") + (key.algorithm() == Algorithm::kRsaSha256 ? "rsa" : "ed25519") +
         "; p=" + key.public_text();
}

// A name server with these records only.
inline OpendkimVerifier::KeyLookup records(std::map<std::string, std::string> known) {
  return [known = std::move(known)](const std::string& name) -> conf::Result<std::string> {
    const auto found = known.find(name);
    if (found == known.end()) return conf::Error{conf::ErrorCode::kNotFound, "no such record"};
    return found->second;
  };
}

}  // namespace dkim
