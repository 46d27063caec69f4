#include "bounce/ledger/address_key.h"

#include <cstring>

namespace bounce {

namespace {

uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

struct Sip {
  uint64_t a, b, c, d;
  void round() {
    a += b;
    b = rotate(b, 13) ^ a;
    a = rotate(a, 32);
    c += d;
    d = rotate(d, 16) ^ c;
    a += d;
    d = rotate(d, 21) ^ a;
    c += b;
    b = rotate(b, 17) ^ c;
    c = rotate(c, 32);
  }
  void word(uint64_t m) {
    d ^= m;
    round();
    round();
    a ^= m;
  }
};

}  // namespace

uint64_t siphash(const SipKey& key, std::string_view text) {
  Sip sip{key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL, key[0] ^ 0x6c7967656e657261ULL,
          key[1] ^ 0x7465646279746573ULL};
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t m = 0;
    std::memcpy(&m, text.data() + at, 8);
    sip.word(m);
  }
  uint64_t last = static_cast<uint64_t>(text.size()) << 56;
  for (size_t i = 0; at + i < text.size(); ++i)
    last |= static_cast<uint64_t>(static_cast<unsigned char>(text[at + i])) << (8 * i);
  sip.word(last);
  sip.c ^= 0xff;
  for (int i = 0; i < 4; ++i) sip.round();
  return sip.a ^ sip.b ^ sip.c ^ sip.d;
}

uint64_t address_key(const SipKey& key, std::string_view list, std::string_view address) {
  if (list.empty()) return siphash(key, address);
  // The list gives the key of the address: no text of one can reach into the other.
  return siphash({key[0] ^ siphash(key, list), key[1]}, address);
}

}  // namespace bounce
