// A keyed fingerprint of an address in a list: SipHash-2-4 (Aumasson and Bernstein, 2012). The key is secret
// and made once per ledger, so nobody can write an address that collides with another on purpose.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace bounce {

using SipKey = std::array<uint64_t, 2>;

uint64_t siphash(const SipKey& key, std::string_view text);

// Of an address (folded) in a list ("" is everybody's).
uint64_t address_key(const SipKey& key, std::string_view list, std::string_view address);

}  // namespace bounce
