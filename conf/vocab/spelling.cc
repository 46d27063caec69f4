#include "conf/vocab/spelling.h"

#include <algorithm>
#include <cstddef>

namespace conf {
namespace {

// Edit distance with transpositions of neighbours (optimal string alignment).
size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest(const std::string& text, const std::vector<std::string>& words) {
  std::string best;
  size_t least = text.size() / 2 + 2;  // farther away it is no likely slip
  for (const std::string& word : words) {
    size_t far = distance(text, word);
    if (word.find(text) != std::string::npos || text.find(word) != std::string::npos)
      far = std::min<size_t>(far, 2);
    if (far < least) {
      least = far;
      best = word;
    }
  }
  return best;
}

}  // namespace conf
