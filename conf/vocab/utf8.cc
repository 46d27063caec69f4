#include "conf/vocab/utf8.h"

#include <cstdint>
#include <cstring>

namespace conf {

namespace {

constexpr uint64_t kHighBits = 0x8080'8080'8080'8080;

bool is_scalar(char32_t c) { return c < 0xd800 || (c > 0xdfff && c <= 0x10ffff); }

}  // namespace

Utf8Character utf8_character(std::string_view text) {
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return {first, 1};
  const size_t octets = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || octets > text.size()) return {};
  char32_t code_point = first & (0x7fU >> octets);
  for (size_t i = 1; i < octets; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    code_point = code_point << 6 | (next & 0x3f);
  }
  if (code_point < kLeast[octets] || !is_scalar(code_point)) return {};
  return {code_point, octets};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    uint64_t eight = kHighBits;
    if (text.size() >= sizeof eight) std::memcpy(&eight, text.data(), sizeof eight);
    if ((eight & kHighBits) == 0) {  // most text is ASCII
      text.remove_prefix(sizeof eight);
      continue;
    }
    const size_t octets = utf8_character(text).octets;
    if (octets == 0) return false;
    text.remove_prefix(octets);
  }
  return true;
}

void append_utf8(char32_t code_point, std::string* out) {
  if (!is_scalar(code_point)) return;
  const auto put = [out](char32_t octet) { out->push_back(static_cast<char>(octet)); };
  if (code_point < 0x80) return put(code_point);
  if (code_point < 0x800) {
    put(0xc0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      put(0xe0 | code_point >> 12);
    } else {
      put(0xf0 | code_point >> 18);
      put(0x80 | (code_point >> 12 & 0x3f));
    }
    put(0x80 | (code_point >> 6 & 0x3f));
  }
  put(0x80 | (code_point & 0x3f));
}

}  // namespace conf
