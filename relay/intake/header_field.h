// Whether a message has a header field of some name (RFC 5322 §2.2; names in any case). Pure.
#pragma once

#include <string_view>

namespace relay {

// `message` has CRLF line ends. False when `name` is empty. Reads the header only.
bool has_header_field(std::string_view message, std::string_view name);

}  // namespace relay
