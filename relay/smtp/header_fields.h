// The header of a whole message, field by field (RFC 5322 §2.2). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace relay::smtp {

struct HeaderField {
  std::string_view name;   // without blanks around it; empty: the header is over
  std::string_view value;  // as it stands there, folded, with all blanks
};

// The field at the front of `message`, which has CRLF line ends; it is taken off the message.
HeaderField take_header_field(std::string_view* message);
// The value on one line (§2.2.3), without blanks around it, a tab as a space; cut after `most` octets, never
// within a character.
std::string unfolded(std::string_view value, size_t most);
// Whether a field of this name, in any case, has a value that the mask matches (conf::domain_matches).
bool has_field_like(std::string_view message, std::string_view name, std::string_view mask);

}  // namespace relay::smtp
