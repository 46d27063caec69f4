#include "bounce/return_path_mac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "conf/vocab/check.h"

namespace bounce {

std::array<uint8_t, 32> hmac_sha256(std::string_view key, std::string_view text) {
  std::array<uint8_t, 32> out{};
  unsigned int length = 0;
  const unsigned char* made =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &length);
  CHECK(made != nullptr && length == out.size());
  return out;
}

bool same_octets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace bounce
