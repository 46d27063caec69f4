#include "bounce/report/text.h"

#include <algorithm>
#include <cstring>

namespace bounce::report {

bool starts_with_folded(std::string_view text, std::string_view lower_word) {
  if (text.size() < lower_word.size()) return false;
  for (size_t i = 0; i < lower_word.size(); ++i) {
    if (conf::ascii_lower(text[i]) != lower_word[i]) return false;
  }
  return true;
}

size_t find_folded(std::string_view text, std::string_view lower_word, size_t from) {
  if (lower_word.empty()) return from <= text.size() ? from : kNowhere;
  const char first = lower_word.front();
  const char capital = first >= 'a' && first <= 'z' ? static_cast<char>(first - 32) : first;
  while (from + lower_word.size() <= text.size()) {
    const char* begin = text.data() + from;
    const size_t left = text.size() - from - lower_word.size() + 1;
    const auto* found = static_cast<const char*>(std::memchr(begin, first, left));
    if (capital != first) {
      const size_t span = found == nullptr ? left : static_cast<size_t>(found - begin);
      const auto* other = static_cast<const char*>(std::memchr(begin, capital, span));
      if (other != nullptr) found = other;
    }
    if (found == nullptr) return kNowhere;
    const auto at = static_cast<size_t>(found - text.data());
    if (starts_with_folded(text.substr(at), lower_word)) return at;
    from = at + 1;
  }
  return kNowhere;
}

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string without_brackets(std::string_view value) {
  const size_t open = value.find('<');
  const size_t close = open == kNowhere ? kNowhere : value.find('>', open);
  if (close != kNowhere) value = value.substr(open + 1, close - open - 1);
  return one_line(value);
}

bool LineReader::next(std::string_view* line) {
  if (at_ >= text_.size()) return false;
  const size_t end = text_.find('\n', at_);
  *line = text_.substr(at_, end == kNowhere ? kNowhere : end - at_);
  at_ = end == kNowhere ? text_.size() : end + 1;
  if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
  return true;
}

}  // namespace bounce::report
