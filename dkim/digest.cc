#include "dkim/digest.h"

#include <openssl/evp.h>

#include "conf/vocab/check.h"
#include "conf/vocab/text.h"

namespace dkim {

namespace {

// Fetched once: looking an algorithm up costs more than hashing a short message (OpenSSL 3, crypto(7)).
const EVP_MD* sha256_method() {
  static const EVP_MD* const kMethod = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  CHECK(kMethod != nullptr);
  return kMethod;
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ != nullptr && EVP_DigestInit_ex(context_, sha256_method(), nullptr) == 1);
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

void Sha256::write(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
}

Sha256Value Sha256::finish() {
  Sha256Value value;
  CHECK(EVP_DigestFinal_ex(context_, value.data(), nullptr) == 1);
  return value;
}

Sha256Value body_hash(std::string_view body, conf::Canonicalization how) {
  Sha256 hash;
  BodyCanonicalizer canonicalizer(how, &hash);
  canonicalizer.update(body);
  canonicalizer.finish();
  return hash.finish();
}

std::string base64(const void* data, size_t size) {
  std::string out;
  conf::append_base64({static_cast<const char*>(data), size}, &out);
  return out;
}

}  // namespace dkim
