#include "dkim/private_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include "conf/read_file.h"
#include "conf/vocab/check.h"
#include "dkim/digest.h"

namespace dkim {

namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

constexpr size_t kLanes = 16;

size_t lane_of_this_thread() {
  static std::atomic<size_t> next{0};
  thread_local const size_t mine = next.fetch_add(1, std::memory_order_relaxed);
  return mine % kLanes;
}

int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) noexcept {
  *static_cast<bool*>(asked) = true;
  return 0;
}

// Root reads a key of the user that it is about to become.
bool is_user(uid_t owner, const std::string& name) {
  const passwd* user = name.empty() ? nullptr : getpwnam(name.c_str());
  return user != nullptr && user->pw_uid == owner;
}

conf::Status safe_to_use(const std::string& file, const std::string& run_as) {
  struct stat info {};
  if (stat(file.c_str(), &info) != 0)
    return conf::Error{conf::ErrorCode::kIo, "cannot read " + file + ": " + std::strerror(errno)};
  if (!S_ISREG(info.st_mode)) return conf::Error{conf::ErrorCode::kRefused, file + " is not a regular file"};
  if ((info.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return conf::Error{conf::ErrorCode::kRefused,
                       file + " is open to others; a private key wants: chmod 640 " + file};
  }
  if (info.st_uid != 0 && info.st_uid != geteuid() && !is_user(info.st_uid, run_as)) {
    return conf::Error{conf::ErrorCode::kRefused,
                       file + " belongs to another user (" + std::to_string(info.st_uid) +
                           "), who could exchange it; make it root's or the relay's own"};
  }
  return conf::success();
}

}  // namespace

const char* to_text(Algorithm algorithm) {
  return algorithm == Algorithm::kRsaSha256 ? "rsa-sha256" : "ed25519-sha256";
}

struct PrivateKey::Lane {
  Lane() = default;
  ~Lane() { EVP_PKEY_CTX_free(context); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  // Ready to sign with a copy of `key`; made at the first use.
  bool prepare(EVP_PKEY* key) {
    if (context != nullptr) return true;
    EVP_PKEY* copy = EVP_PKEY_dup(key);
    EVP_PKEY_CTX* fresh = copy == nullptr ? nullptr : EVP_PKEY_CTX_new(copy, nullptr);
    EVP_PKEY_free(copy);  // the context holds it
    if (fresh == nullptr || EVP_PKEY_sign_init(fresh) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(fresh, RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(fresh, EVP_sha256()) != 1) {
      EVP_PKEY_CTX_free(fresh);
      return false;
    }
    context = fresh;
    return true;
  }
  std::mutex mutex;
  EVP_PKEY_CTX* context = nullptr;
};

PrivateKey::PrivateKey(evp_pkey_st* key) : key_(key), lanes_(std::make_unique<Lane[]>(kLanes)) {
  algorithm_ =
      EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? Algorithm::kEd25519Sha256 : Algorithm::kRsaSha256;
  const BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr &&
        PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  pem_ = conf::Secret(std::string_view(text, static_cast<size_t>(size)));
}

PrivateKey::~PrivateKey() { EVP_PKEY_free(key_); }

int PrivateKey::bits() const { return EVP_PKEY_get_bits(key_); }

conf::Result<std::shared_ptr<const PrivateKey>> PrivateKey::parse(const std::string& pem,
                                                                  const std::string& name) {
  ERR_clear_error();
  if (pem.find("-----BEGIN ") == std::string::npos) return conf::invalid(name + " is not a PEM file");
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  bool asked = false;
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, &asked);
  ERR_clear_error();
  if (asked) {
    EVP_PKEY_free(key);
    return conf::invalid(name + " is encrypted; the relay cannot ask for a passphrase: openssl pkey -in " +
                         name + " -out decrypted.pem");
  }
  if (key == nullptr) return conf::invalid(name + " holds no readable private key");
  const int kind = EVP_PKEY_get_base_id(key);
  if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_ED25519) {
    EVP_PKEY_free(key);
    return conf::invalid(name + " is neither an RSA nor an Ed25519 key; DKIM has no other");
  }
  std::shared_ptr<const PrivateKey> made(new PrivateKey(key));
  if (kind == EVP_PKEY_RSA && made->bits() < kLeastRsaBits) {
    return conf::invalid(name + " has " + std::to_string(made->bits()) +
                         " bits; verifiers take at least 1024 (RFC 8301), and 2048 is right");
  }
  return made;
}

conf::Result<std::shared_ptr<const PrivateKey>> PrivateKey::load(const std::string& file,
                                                                 const std::string& run_as) {
  const conf::Status safe = safe_to_use(file, run_as);
  if (!safe.ok()) return safe.error();
  conf::Result<std::string> text = conf::read_regular_file(file);
  if (!text.ok())
    return conf::Error{conf::ErrorCode::kIo, "cannot read " + file + ": " + text.error().detail};
  auto key = parse(text.value(), file);
  OPENSSL_cleanse(text->data(), text->size());
  return key;
}

std::shared_ptr<const PrivateKey> PrivateKey::generate(Algorithm algorithm, int rsa_bits) {
  EVP_PKEY* key = algorithm == Algorithm::kEd25519Sha256
                      ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                      : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<size_t>(rsa_bits));
  CHECK(key != nullptr);
  return std::shared_ptr<const PrivateKey>(new PrivateKey(key));
}

std::string PrivateKey::public_text() const {
  if (algorithm_ == Algorithm::kEd25519Sha256) {
    uint8_t raw[32];
    size_t size = sizeof raw;
    CHECK(EVP_PKEY_get_raw_public_key(key_, raw, &size) == 1);
    return base64(raw, size);
  }
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_, &der);
  CHECK(size > 0);
  std::string text = base64(der, static_cast<size_t>(size));
  OPENSSL_free(der);
  return text;
}

bool PrivateKey::sign_rsa(const void* hash, size_t hash_size, unsigned char* out, size_t* size) const {
  Lane& lane = lanes_[lane_of_this_thread()];
  const std::lock_guard<std::mutex> lock(lane.mutex);
  return lane.prepare(key_) &&
         EVP_PKEY_sign(lane.context, out, size, static_cast<const unsigned char*>(hash), hash_size) == 1;
}

conf::Result<std::string> PrivateKey::sign(std::string_view data) const {
  ERR_clear_error();
  Sha256 hash;
  hash.write(data);
  const Sha256Value value = hash.finish();
  std::vector<unsigned char> out(static_cast<size_t>(EVP_PKEY_get_size(key_)));
  size_t size = out.size();
  bool good = false;
  if (algorithm_ == Algorithm::kEd25519Sha256) {  // RFC 8463 §3: Ed25519 over the SHA-256 value
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    good = context != nullptr && EVP_DigestSignInit(context, nullptr, nullptr, nullptr, key_) == 1 &&
           EVP_DigestSign(context, out.data(), &size, value.data(), value.size()) == 1;
    EVP_MD_CTX_free(context);
  } else {
    good = sign_rsa(value.data(), value.size(), out.data(), &size);
  }
  if (!good) {
    char text[256];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    return conf::Error{conf::ErrorCode::kIo, std::string("OpenSSL could not sign: ") + text};
  }
  return base64(out.data(), size);
}

}  // namespace dkim
