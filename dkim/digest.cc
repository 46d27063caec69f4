#include "dkim/digest.h"

#include <openssl/evp.h>

#include "conf/vocab/check.h"

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
  std::string out((size + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     static_cast<const unsigned char*>(data), static_cast<int>(size));
  out.resize(static_cast<size_t>(length));
  return out;
}

bool from_base64(std::string_view text, std::string* out) {
  std::string packed;
  for (const char c : text) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') packed += c;
  }
  if (packed.size() % 4 != 0) return false;
  out->assign(packed.size() / 4 * 3 + 1, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out->data()),
                      reinterpret_cast<const unsigned char*>(packed.data()), static_cast<int>(packed.size()));
  if (length < 0) return false;
  size_t padding = 0;
  while (padding < 2 && padding < packed.size() && packed[packed.size() - 1 - padding] == '=') ++padding;
  out->resize(static_cast<size_t>(length) - padding);
  return true;
}

}  // namespace dkim
