#include "bounce/report/words.h"

#include <algorithm>

#include "bounce/report/text.h"
#include "conf/vocab/check.h"

namespace bounce::report {
namespace {

size_t bucket(std::string_view text) {
  return static_cast<size_t>(static_cast<unsigned char>(text[0])) << 8 | static_cast<unsigned char>(text[1]);
}

bool is_word_octet(char c) { return is_letter(c) || is_digit(c) || static_cast<signed char>(c) < 0; }

}  // namespace

std::string plain_words(std::string_view text, size_t limit) {
  text = text.substr(0, limit);
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) <= ' ') {
      if (out.empty() || out.back() != ' ') out += ' ';
    } else if (c == '\xe2' && text.substr(at).starts_with("\xe2\x80\x99")) {
      out += '\'';
      at += 2;
    } else if (c == '\xc2' && text.substr(at).starts_with("\xc2\xa0")) {
      if (out.empty() || out.back() != ' ') out += ' ';
      at += 1;
    } else {
      out += conf::ascii_lower(c);
    }
  }
  return out;
}

WordTable::WordTable(std::initializer_list<std::span<const Word>> lists) : buckets_(65537, 0) {
  for (const std::span<const Word> list : lists) {
    for (const Word& word : list)
      rows_.push_back({word.text, word.topic, static_cast<uint16_t>(rows_.size())});
  }
  std::ranges::sort(rows_, {}, &Row::text);  // by bucket, too
  CHECK(std::ranges::adjacent_find(rows_, {}, &Row::text) == rows_.end());
  for (const Row& row : rows_) ++buckets_[bucket(row.text) + 1];
  for (size_t i = 1; i < buckets_.size(); ++i)
    buckets_[i] = static_cast<uint16_t>(buckets_[i] + buckets_[i - 1]);
}

std::array<uint8_t, WordTable::kTopics> WordTable::count(std::string_view text, size_t limit) const {
  std::array<uint8_t, kTopics> found{};
  const std::string words = plain_words(text, limit);
  std::vector<bool> seen(rows_.size());
  for (size_t at = 0; at + 1 < words.size(); ++at) {
    const std::string_view here = std::string_view(words).substr(at);
    const size_t place = bucket(here);
    if (buckets_[place] == buckets_[place + 1]) continue;
    // A row begins a word, unless its script writes no blanks between words.
    const bool inside = at > 0 && is_word_octet(words[at - 1]) && static_cast<signed char>(here[0]) >= 0;
    if (inside) continue;
    for (size_t i = buckets_[place]; i < buckets_[place + 1]; ++i) {
      if (seen[rows_[i].number] || !here.starts_with(rows_[i].text)) continue;
      seen[rows_[i].number] = true;
      if (found[rows_[i].topic] < 255) ++found[rows_[i].topic];
    }
  }
  return found;
}

bool WordTable::occurs(std::string_view text, uint8_t topic) const {
  return count(text, text.size())[topic] > 0;
}

}  // namespace bounce::report
