#include "conf/toml_text.h"

#include <algorithm>

namespace conf {

namespace {

// Where the quoted text that begins at `at` ends (behind its last quote); the end of the text when it does
// not.
size_t end_of_quoted(std::string_view text, size_t at) {
  const char quote = text[at];
  const bool escapes = quote == '"';
  const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
  const bool multi_line = text.substr(at, 3) == three;
  for (size_t i = at + (multi_line ? 3 : 1); i < text.size(); ++i) {
    if (escapes && text[i] == '\\') {
      ++i;
    } else if (multi_line && text.substr(i, 3) == three) {
      return i + 3;
    } else if (!multi_line && (text[i] == quote || text[i] == '\n')) {
      return i + 1;
    }
  }
  return text.size();
}

TextPlace place_of(std::string_view text, size_t at) {
  TextPlace place;
  for (const char c : text.substr(0, at)) {
    ++place.column;
    if (c == '\n') place = {place.line + 1, 1};
  }
  return place;
}

}  // namespace

std::optional<TextPlace> foreign_character(std::string_view text) {
  size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;  // a byte order mark is fine
  while (at < text.size()) {
    const char c = text[at];
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (c == '"' || c == '\'') {
      at = end_of_quoted(text, at);
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return place_of(text, at);
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

TextPlace bad_section_header(std::string_view text) {
  int line = 1;
  for (size_t at = 0; at < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view content = text.substr(at, end - at);
    const size_t begin = content.find_first_not_of(" \t");
    if (begin != std::string_view::npos && content[begin] == '[') {
      const size_t name = content.find_first_not_of("[ \t", begin);
      const char first = name == std::string_view::npos ? ']' : content[name];
      const bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
      if (!letter && first != '"' && first != '\'') return {line, static_cast<int>(begin) + 1};
    }
    at = end + 1;
  }
  return {};
}

}  // namespace conf
