// The encodings of MIME for seven bits: RFC 2045 §6.7 and §6.8, RFC 2047. Pure; each appends to `*out`.
#pragma once

#include <string>
#include <string_view>

namespace relay {

const char* charset_of(std::string_view text);  // "utf-8", or "unknown-8bit" (RFC 1428)
bool is_mostly_ascii(std::string_view text);    // quoted-printable is then the shorter one

// Text with CRLF line ends; these stay line ends.
void append_quoted_printable(std::string_view text, std::string* out);
// Quoted-printable already, but for raw octets above 127.
void append_escaped(std::string_view text, std::string* out);
void append_base64(std::string_view octets, std::string* out);
// Encoded words of whole code points (RFC 2047 §2), folded one a line. The first begins at `column` of its
// line and is shorter where much of that is taken.
void append_encoded_words(std::string_view text, size_t column, std::string* out);
// RFC 2047 §2: a line with encoded words has at most 76 octets. `value`: of a field, begun at `column`.
void fold_encoded_words(size_t column, std::string* value);

}  // namespace relay
