// A private key for signing: RSA or Ed25519, parsed once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "conf/vocab/result.h"
#include "conf/vocab/secret.h"

struct evp_pkey_st;

namespace dkim {

enum class Algorithm : uint8_t { kRsaSha256, kEd25519Sha256 };  // RFC 8301 §3.1, RFC 8463
const char* to_text(Algorithm algorithm);                       // "rsa-sha256", "ed25519-sha256"

inline constexpr int kLeastRsaBits = 1024;  // RFC 8301 §3.2: signers must use at least this ...
inline constexpr int kGoodRsaBits = 2048;   // ... and should use this

class PrivateKey {
 public:
  // A PEM text, PKCS#8 or PKCS#1, without a passphrase. kInvalid says what is wrong: not PEM, encrypted,
  // another kind of key, an RSA key below 1024 bits. `name` is used in messages.
  static conf::Result<std::shared_ptr<const PrivateKey>> parse(const std::string& pem,
                                                               const std::string& name);
  // Reads the file; besides parse(), kIo when it cannot be read, kRefused when others than its owner and its
  // group may read it or others than root, this user and `run_as` own it: the user that a start as root
  // becomes.
  static conf::Result<std::shared_ptr<const PrivateKey>> load(const std::string& file,
                                                              const std::string& run_as = {});
  // A new key; bits for RSA only.
  static std::shared_ptr<const PrivateKey> generate(Algorithm algorithm, int rsa_bits);

  ~PrivateKey();
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;

  Algorithm algorithm() const { return algorithm_; }
  int bits() const;
  bool weak() const { return algorithm_ == Algorithm::kRsaSha256 && bits() < kGoodRsaBits; }
  const conf::Secret& pem() const { return pem_; }  // PKCS#8
  // The public key as it stands in the p= of the record: SubjectPublicKeyInfo for RSA (RFC 6376 §3.6.1), the
  // 32 bytes themselves for Ed25519 (RFC 8463 §4.2); in base64.
  std::string public_text() const;
  // Signs `data` (hashed with SHA-256 in between, for both algorithms); any thread. Base64.
  conf::Result<std::string> sign(std::string_view data) const;

 private:
  // A copy of an RSA key for the threads that share a lane: OpenSSL keeps the blinding of a key for the first
  // thread that uses it, and all others wait for one another (crypto/rsa/rsa_crpt.c).
  struct Lane;
  explicit PrivateKey(evp_pkey_st* key);
  bool sign_rsa(const void* hash, size_t hash_size, unsigned char* out, size_t* size) const;
  evp_pkey_st* key_;
  Algorithm algorithm_ = Algorithm::kRsaSha256;
  conf::Secret pem_;
  std::unique_ptr<Lane[]> lanes_;
};

}  // namespace dkim
