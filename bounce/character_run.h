// Runs of characters of a kind, for the words of a template.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "conf/vocab/ascii.h"

namespace bounce {

inline bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
inline bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// How many characters from `at` on are such.
inline size_t run(std::string_view text, size_t at, bool (*is)(char)) {
  size_t end = at;
  while (end < text.size() && is(text[end])) ++end;
  return end - at;
}

inline bool starts_like(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::ranges::equal(text.substr(0, lower_case.size()), lower_case,
                            [](char a, char b) { return conf::ascii_lower(a) == b; });
}

}  // namespace bounce
