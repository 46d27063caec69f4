// HMAC-SHA256 (RFC 2104, FIPS 180-4) by OpenSSL, behind a plain function.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace bounce {

std::array<uint8_t, 32> hmac_sha256(std::string_view key, std::string_view text);

// Compares in a time that does not depend on where they differ.
bool same_octets(std::string_view a, std::string_view b);

}  // namespace bounce
