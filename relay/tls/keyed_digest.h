// Digests under a key that this process made for itself: what is kept of a secret must be of no use to who
// reads it. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace relay::tls {

class KeyedDigest {
 public:
  using Value = std::array<uint8_t, 32>;

  KeyedDigest();   // a fresh random key
  ~KeyedDigest();  // wipes it
  KeyedDigest(const KeyedDigest&) = delete;
  KeyedDigest& operator=(const KeyedDigest&) = delete;

  // HMAC-SHA-256 of the parts, each with its length, so that no two lists of parts are alike. About 1 us.
  Value of(std::initializer_list<std::string_view> parts) const;

 private:
  std::array<uint8_t, 32> key_{};
};

// Overwrites octets that held a secret, in a way that the compiler does not leave out.
void cleanse(void* octets, size_t count);

}  // namespace relay::tls
