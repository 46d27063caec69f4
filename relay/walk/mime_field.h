// Header fields in seven bits: RFC 2047 for words, RFC 2231 for parameters. Pure.
#pragma once

#include <string>
#include <string_view>

namespace relay {

// Appends `field`, whole with its CRLF and with octets above 127, in seven bits. What the field is decides
// what may become an encoded word (RFC 2047 §5): any words of a text, words and quoted strings of a phrase,
// never an address or another thing in angle brackets: there a domain becomes A-labels (RFC 5890), and a URL
// is escaped (RFC 3986 §2.5). The values of the parameters of Content-Type and Content-Disposition are
// encoded as RFC 2231 says. Where there is no other form the octets become "?". False: those were of an
// address or an id.
bool append_seven_bit_field(std::string_view name, std::string_view field, std::string* out);

}  // namespace relay
