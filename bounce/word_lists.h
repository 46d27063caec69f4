// Lists of words that the expressions of a file of reply rules share: where `{person}` stands in an
// expression, any word of the list of that name may stand in the text. A rule then reads as a sentence, and a
// word that is learnt is written down once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/result.h"

namespace bounce {

class WordLists {
 public:
  // `shared` has the lists that are not found here; null: none. It must outlive this.
  explicit WordLists(const WordLists* shared = nullptr) : shared_(shared) {}

  // Small letters, digits and '-', a letter first.
  static bool is_name(std::string_view text);

  // `words` are RE2 expressions. False when there is a list of that name; one of `shared` is hidden by it.
  bool add(const std::string& name, const std::vector<std::string>& words);

  // `expression` with `(word|word|...)` for each `{name}`. An error names what is no list. Braces of RE2
  // itself stay: `{0,60}`, `\x{3000}`, `\p{Greek}`, `\{`.
  conf::Result<std::string> expand(std::string_view expression) const;

 private:
  const std::string* find(std::string_view name) const;

  const WordLists* shared_;
  std::map<std::string, std::string, std::less<>> lists_;
};

}  // namespace bounce
