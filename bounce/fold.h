// The text of a reply as rules see it: lower case, without accents, one space for every run of blanks,
// controls, '-', '_' and apostrophes, `*` for every mail address. Words then match whatever their spelling,
// and no name of a person or of a sender can look like one.
#pragma once

#include <string>
#include <string_view>

namespace bounce {

// Looks at the first `limit` octets. Octets that are not UTF-8 are read as Latin-1. At most as long as what
// was looked at, plus one.
std::string fold(std::string_view text, size_t limit);

// The same for the literal parts of a regular expression, so that a rule may be written as the reply reads.
// Character classes and escapes stay as they are.
std::string fold_pattern(std::string_view pattern);

// One code point of UTF-8 at `at`, which moves past it; an octet that begins none is itself, as in Latin-1.
char32_t next_code_point(std::string_view text, size_t* at);

// A character of a local part or of a domain.
bool is_address_character(char32_t c);
// `at` is the place of an '@': where the domain behind it ends; `at` + 1 when none stands there.
size_t end_of_address(std::string_view text, size_t at);

}  // namespace bounce
