#include "relay/tls/keyed_digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstring>
#include <string>

#include "conf/vocab/check.h"

namespace relay::tls {

KeyedDigest::KeyedDigest() { CHECK(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1); }

KeyedDigest::~KeyedDigest() { cleanse(key_.data(), key_.size()); }

KeyedDigest::Value KeyedDigest::of(std::initializer_list<std::string_view> parts) const {
  size_t octets = 0;
  for (const std::string_view part : parts) octets += sizeof(uint64_t) + part.size();
  std::string all;
  all.reserve(octets);  // no copies of the secret on the way
  for (const std::string_view part : parts) {
    const uint64_t size = part.size();
    all.append(reinterpret_cast<const char*>(&size), sizeof size);
    all.append(part);
  }
  Value value{};
  unsigned length = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(all.data()), all.size(), value.data(), &length);
  CHECK(made != nullptr && length == value.size());
  cleanse(all.data(), all.size());
  return value;
}

// Whole read buffers go through here: with OPENSSL_cleanse() it was 2 % of the instructions of a message of
// 10 KB.
void cleanse(void* octets, size_t count) { explicit_bzero(octets, count); }

}  // namespace relay::tls
