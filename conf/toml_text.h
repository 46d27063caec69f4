// A look at the text of a configuration before it is parsed. For this folder.
#pragma once

#include <optional>
#include <string_view>

namespace conf {

struct TextPlace {
  int line = 1;
  int column = 1;
};

// The first octet above 127 that stands neither in quotes nor in a comment: TOML has no place for it, and it
// is mostly a typographic quotation mark from a web page.
std::optional<TextPlace> foreign_character(std::string_view text);

// The first line that begins like a section but does not go on like one; line 1 when there is none.
TextPlace bad_section_header(std::string_view text);

}  // namespace conf
