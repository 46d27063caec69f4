// What the certificate of a server must be made out to (RFC 6125 §1.8, RFC 9525): a host name or an address.
// Which of them a text is, is decided by parsing it, never by the look of its letters: "cafe.abc.de" is a
// name. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace relay::tls {

struct ReferenceIdentity {
  enum class Kind : uint8_t {
    kNone,     // neither: no certificate can belong to it
    kName,     // `name`: in lower case, without a dot at its end
    kAddress,  // `address`, `address_octets`: 4 or 16; an IPv4 address in the form ::ffff:a.b.c.d is IPv4
  };
  Kind kind = Kind::kNone;
  std::string name;
  std::array<unsigned char, 16> address{};
  size_t address_octets = 0;
};

// Takes "mx.example.com", "mx.example.com.", "192.0.2.1", "2001:db8::1", "[192.0.2.1]" and
// "[IPv6:2001:db8::1]". A name has labels of letters, digits, hyphens and underscores, and its last label is
// not a number ("127.1" is an old way to write an address). No allocation but the name.
ReferenceIdentity parse_reference(std::string_view text);

}  // namespace relay::tls
