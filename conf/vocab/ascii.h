// Letters of protocols and of configuration are compared without regard to case in ASCII only (RFC 5321 §2.4,
// RFC 4343): never by a locale, and octets above 127 stay as they are.
#pragma once

#include <string>
#include <string_view>

namespace conf {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = ascii_lower(c);
  return lower;
}

}  // namespace conf
