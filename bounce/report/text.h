// Small words about text that the readers of returned mail share: ASCII letters fold, everything else is
// compared as it is. Nothing allocates unless it returns a std::string.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "conf/vocab/ascii.h"
#include "conf/vocab/text.h"

namespace bounce::report {

inline constexpr size_t kNowhere = std::string_view::npos;

using conf::is_digit;
using conf::is_letter;
inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

using conf::equal_ignoring_case;
bool starts_with_folded(std::string_view text, std::string_view lower_word);
// The first place of `lower_word` (itself in lower case) in `text` at or after `from`.
size_t find_folded(std::string_view text, std::string_view lower_word, size_t from = 0);
inline bool contains_folded(std::string_view text, std::string_view lower_word) {
  return find_folded(text, lower_word) != kNowhere;
}
template <size_t N>
bool contains_any(std::string_view text, const std::array<std::string_view, N>& lower_words) {
  return std::any_of(lower_words.begin(), lower_words.end(),
                     [text](std::string_view word) { return contains_folded(text, word); });
}

using conf::trimmed;
// Every run of blanks and control characters becomes one space; none at the ends.
std::string one_line(std::string_view text);

// A line drawn across a notice, or a heading in one ("----- Transcript -----"): what follows is another part.
inline bool is_rule_line(std::string_view bare) {
  return bare.starts_with("---") || bare.starts_with("===") || bare.starts_with("___");
}

// The value of a Message-ID field: what stands in angle brackets, else all of it.
std::string without_brackets(std::string_view value);

// Lines without their ends; LF and CRLF, and a last line without any.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}
  bool next(std::string_view* line);
  size_t at() const { return at_; }  // where the next line begins

 private:
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace bounce::report
