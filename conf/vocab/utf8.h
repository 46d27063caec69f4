// Cutting text from outside without leaving a part of a character of UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <string_view>

namespace conf {

// At most `most` octets of `text`. A character that would be cut is left out; text that is no UTF-8 loses at
// most three octets more.
constexpr std::string_view utf8_prefix(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  const auto continues = [&text](size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
  size_t end = most;
  while (end > 0 && most - end < 3 && continues(end)) --end;
  return text.substr(0, continues(end) ? most : end);
}

}  // namespace conf
