// UTF-8 (RFC 3629) from outside and back: its characters one by one, and text cut between them. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace conf {

struct Utf8Character {
  char32_t code_point = 0;
  size_t octets = 0;  // 1 to 4; 0: no well-formed character begins there
};
// At the front of `text`, which is not empty. Overlong forms, surrogates and what is beyond U+10FFFF are not
// well-formed (RFC 3629 §3).
Utf8Character utf8_character(std::string_view text);

bool is_utf8(std::string_view text);  // well-formed from begin to end; ASCII is

// Nothing for what is no character: a surrogate, or beyond U+10FFFF.
void append_utf8(char32_t code_point, std::string* out);

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
