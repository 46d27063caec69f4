// Texts of a report: folded fields, and foreign text made safe to put into a header field.
#pragma once

#include <string>
#include <string_view>

namespace bounce {

bool has_8bit(std::string_view text);

// One line without control characters; octets above 127 become '?' unless `utf8` and the text is well-formed.
std::string clean_line(std::string_view text, bool utf8);

// `text` in ASCII: from its first word with other characters to the last one in encoded words of UTF-8 (RFC
// 2047 §2, "Q"), which may stand where text does. `text` is well-formed UTF-8.
std::string encoded_words(std::string_view text);

// Lines with CRLF in quoted-printable (RFC 2045 §6.7).
std::string quoted_printable(std::string_view text);

// Appends "Name: value" CRLF, folded at spaces near column 78; a word that no line can hold is cut (998
// octets, RFC 5322 §2.1.1). `value` must be clean.
void append_field(std::string_view name, std::string_view value, std::string* out);

// The same for plain text: each line indented by `indent` spaces.
void append_wrapped(std::string_view text, size_t indent, std::string* out);

// Final-Recipient and Original-Recipient (RFC 3464 §2.3.1, RFC 6533 §4): "rfc822; a@b", "utf-8; é@b", and
// without `utf8` the all-ASCII form "utf-8; \x{E9}@b".
std::string typed_address(std::string_view type, std::string_view address, bool utf8);

}  // namespace bounce
