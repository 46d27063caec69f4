// Mail addresses as they stand in texts of others: in fields with a type before them, in sentences, in
// brackets, with dots and colons after them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bounce::report {

struct AddressSpan {
  size_t begin = 0;  // of the local part
  size_t end = 0;    // after the domain
};

// The first address at or after `from`: a local part, '@', and a domain with a dot or a literal. Quoted
// local parts too. Octets above 127 count as letters within an address when `utf8`.
bool find_address(std::string_view text, size_t from, AddressSpan* span);

// "rfc822; <a@b>", "utf-8; x", "a@b (comment)", "SMTP:a@b" -> "a@b". Takes xtext ("+3D") of ORCPT and the
// "\x{E9}" of RFC 6533 apart. What holds no '@' comes back trimmed: a local name.
std::string typed_address_value(std::string_view value);

// Compares with the domain and the local part folded.
bool same_address(std::string_view a, std::string_view b);

}  // namespace bounce::report
