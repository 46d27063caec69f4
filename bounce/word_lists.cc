#include "bounce/word_lists.h"

#include <algorithm>

#include "conf/vocab/ascii.h"

namespace bounce {

namespace {

bool is_small_letter(char c) { return c >= 'a' && c <= 'z'; }

// A brace that belongs to an escape: `\{`, `\x{3000}`, `\p{Greek}`, `\P{Greek}`.
bool is_escaped(std::string_view expression, size_t brace) {
  const std::string_view before = expression.substr(0, brace);
  return before.ends_with('\\') || before.ends_with("\\x") || before.ends_with("\\p") ||
         before.ends_with("\\P");
}

}  // namespace

bool WordLists::is_name(std::string_view text) {
  return !text.empty() && is_small_letter(text[0]) && std::ranges::all_of(text, [](char c) {
    return is_small_letter(c) || conf::is_digit(c) || c == '-';
  });
}

bool WordLists::add(const std::string& name, const std::vector<std::string>& words) {
  std::string any = "(";
  for (const std::string& word : words) {
    if (any.size() > 1) any += '|';
    any += word;
  }
  any += ')';
  return lists_.emplace(name, std::move(any)).second;
}

const std::string* WordLists::find(std::string_view name) const {
  const auto list = lists_.find(name);
  if (list != lists_.end()) return &list->second;
  return shared_ != nullptr ? shared_->find(name) : nullptr;
}

conf::Result<std::string> WordLists::expand(std::string_view expression) const {
  std::string expanded;
  size_t begin = 0;
  for (size_t brace = expression.find('{'); brace != std::string_view::npos;
       brace = expression.find('{', brace + 1)) {
    const size_t end = expression.find('}', brace);
    if (end == std::string_view::npos) break;
    const std::string_view name = expression.substr(brace + 1, end - brace - 1);
    if (!is_name(name) || is_escaped(expression, brace)) continue;
    const std::string* const list = find(name);
    if (list == nullptr)
      return conf::invalid("{" + std::string(name) +
                           "} names no [[words]] of this file or of the program; a brace is \\{");
    expanded.append(expression.substr(begin, brace - begin));
    expanded += *list;
    begin = end + 1;
  }
  expanded.append(expression.substr(begin));
  return expanded;
}

}  // namespace bounce
