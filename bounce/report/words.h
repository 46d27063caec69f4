// Which words of a table occur in a text, found in one pass. Rows are in lower case and UTF-8; ASCII letters
// of the text are folded, other letters are compared as they are (so a table holds both forms where a
// capital is usual), typographic apostrophes count as plain ones and every run of blanks as one space.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bounce::report {

struct Word {
  std::string_view text;
  uint8_t topic;  // below WordTable::kTopics
};

class WordTable {
 public:
  static constexpr size_t kTopics = 16;
  // What the lists view outlives the table. No text stands in them twice: it would count twice.
  WordTable(std::initializer_list<std::span<const Word>> lists);

  // How many different rows of each topic occur in the first `limit` octets of `text`.
  std::array<uint8_t, kTopics> count(std::string_view text, size_t limit) const;
  bool occurs(std::string_view text, uint8_t topic) const;

 private:
  struct Row {
    std::string_view text;
    uint8_t topic;
    uint16_t number;
  };
  std::vector<Row> rows_;          // by their first two octets
  std::vector<uint16_t> buckets_;  // 65,537 places in rows_
};

// Folded for such a table.
std::string plain_words(std::string_view text, size_t limit);

}  // namespace bounce::report
