// What a receiver with a sliding window counts.
#pragma once

#include <algorithm>
#include <cstddef>

#include "conf/vocab/time.h"

namespace mx {

// The most of `times`, which are in order, that any half-open stretch of this length holds.
template <typename Times>
size_t most_in(const Times& times, conf::Duration window) {
  size_t most = 0, first = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    while (times[i] - times[first] >= window) ++first;
    most = std::max(most, i - first + 1);
  }
  return most;
}

}  // namespace mx
