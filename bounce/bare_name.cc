#include "bounce/bare_name.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "bounce/fold.h"
#include "bounce/reply_rule.h"
#include "conf/vocab/ascii.h"

namespace bounce {
namespace {

constexpr size_t kStem = 4;  // octets of the least beginning of a word that means something

bool is_name_character(char c) {
  return conf::is_letter(c) || conf::is_digit(c) || static_cast<unsigned char>(c) >= 0x80;
}

using Words = std::unordered_set<std::string>;

// Every run of letters in the shipped rules: what they look for, their examples and their comments.
const Words& words_of_rules() {
  static const Words words = [] {
    Words all;
    const auto add = [&all](std::string_view file) {
      for (size_t at = 0; at < file.size();) {
        size_t end = at;
        while (end < file.size() && is_name_character(file[end])) ++end;
        // "\bmail": the letter of an escape is none of the word.
        const size_t begin = at > 0 && file[at - 1] == '\\' ? at + 1 : at;
        if (end > begin + 1) all.insert(fold(file.substr(begin, end - begin), end - begin));
        at = std::max(end, at + 1);
      }
    };
    for (const ShippedFile& file : shipped_rule_files()) add(file.text);
    add(shipped_words().text);
    return all;
  }();
  return words;
}

bool may_be_word(std::string_view local_part) {
  if (local_part.size() < 2 ||
      std::ranges::none_of(local_part, [](char c) { return is_name_character(c) && !conf::is_digit(c); }))
    return true;
  if (!std::ranges::all_of(local_part, is_name_character)) return false;
  const std::string word = fold(local_part, local_part.size());
  for (size_t length = std::min(kStem, word.size()); length <= word.size(); ++length) {
    if (words_of_rules().contains(word.substr(0, length))) return true;
  }
  return false;
}

// Whether the name ends at its neighbour `at`. A dot goes on with a name where `next`, further away, has one.
bool ends_at(std::string_view text, size_t at, size_t next) {
  if (at >= text.size()) return true;
  const char c = text[at];
  if (c == '.') return next >= text.size() || !is_name_character(text[next]);
  return !is_name_character(c) && c != '@' && c != '-' && c != '_' && c != '+';
}

}  // namespace

std::string without_bare_name(std::string_view text, std::string_view local_part) {
  std::string out;
  if (local_part.empty() || local_part.size() > text.size()) return out = text;
  const char first = conf::ascii_lower(local_part[0]);
  size_t kept = 0;
  for (size_t at = 0; at + local_part.size() <= text.size(); ++at) {
    if (conf::ascii_lower(text[at]) != first ||
        !conf::equal_ignoring_case(text.substr(at, local_part.size()), local_part))
      continue;
    const size_t end = at + local_part.size();
    if (!ends_at(text, at - 1, at - 2) || !ends_at(text, end, end + 1)) continue;
    if (kept == 0 && out.empty() && may_be_word(local_part)) break;
    out.append(text.substr(kept, at - kept));
    out += '*';
    kept = end;
    at = end - 1;
  }
  return out += text.substr(kept);
}

std::string_view local_part_of(std::string_view address) {
  const size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(0, at);
}

}  // namespace bounce
