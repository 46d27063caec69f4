#include "relay/intake/secret_hash.h"

#include <crypt.h>

#include <cstring>
#include <memory>
#include <string_view>

#include "relay/tls/keyed_digest.h"

namespace relay {

namespace {

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

// crypt(3) of a secret with the setting, or the whole hash, given; empty when it cannot be computed.
std::string crypted(const char* secret, const char* setting) {
  const auto data = std::make_unique<crypt_data>();
  std::memset(data.get(), 0, sizeof *data);
  const char* computed = crypt_r(secret, setting, data.get());
  std::string hash = computed == nullptr || computed[0] == '*' ? "" : computed;
  tls::cleanse(data.get(), sizeof *data);  // it holds the secret
  return hash;
}

}  // namespace

bool secret_matches(const conf::Secret& secret, const std::string& hash) {
  const std::string computed = crypted(secret.c_str(), hash.c_str());
  return !computed.empty() && equal_in_constant_time(computed, hash);
}

std::string hash_secret(const std::string& secret) {
  char salt[CRYPT_GENSALT_OUTPUT_SIZE];
  if (crypt_gensalt_rn("$y$", 0, nullptr, 0, salt, sizeof salt) == nullptr) return "";
  return crypted(secret.c_str(), salt);
}

}  // namespace relay
