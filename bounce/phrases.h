// Words in refusals that say more than the code: who is meant, and whether the receiver asks for a slower
// pace. One ordered table; the first row that occurs decides, and certain words stand before vague ones.
#pragma once

#include <cstdint>
#include <string_view>

#include "bounce/qualification.h"

namespace bounce {

struct Phrase {
  const char* text;   // lower case, single spaces for blanks, '-' and '_'; begins a word, may end inside one
  const char* after;  // null, or "a|b|c": one of these follows `text` within the next 80 characters
  bool certain;       // outweighs the enhanced status; otherwise the status outweighs it
  Scope scope;
  Pace pace;
};

// The first row that occurs in `text`, whatever its case; null when none does. Looks at the first 1,000
// characters. About a microsecond for a long reply.
const Phrase* find_phrase(std::string_view text);

}  // namespace bounce
