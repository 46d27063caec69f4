// Small words about text that every room needs. Pure; nothing here allocates but what gives a string.
#pragma once

#include <string>
#include <string_view>

#include "conf/vocab/ascii.h"

namespace conf {

inline constexpr std::string_view kBlanks = " \t\r\n";

// Without the blanks at its ends.
constexpr std::string_view trimmed(std::string_view text, std::string_view blanks = kBlanks) {
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// The octet as two hexadecimal digits, in upper case as RFC 2045, 3461, 3986 and 6533 want them.
void append_hex(char octet, std::string* out);
// The value of such a digit in either case; -1: it is none.
constexpr int hex_value(char digit) {
  if (is_digit(digit)) return digit - '0';
  return is_hex_digit(digit) ? ascii_lower(digit) - 'a' + 10 : -1;
}

// Base64 with padding, without line ends (RFC 4648 §4).
void append_base64(std::string_view octets, std::string* out);
// Puts what such a text says into `*out`, which is one allocation: none of a secret stays behind in another.
// Strict: padded, no blanks, no bits left over (§3.5). False where it is otherwise; `*out` is then of no use.
bool decode_base64(std::string_view text, std::string* out);

}  // namespace conf
