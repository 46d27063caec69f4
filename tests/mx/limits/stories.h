// How many random stories a test tells: so many, and a sixth of them under a sanitizer, where each takes ten
// times as long. The release build tells all.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mx {

constexpr uint64_t stories(uint64_t count) {
#ifdef PENSTOCK_SANITIZED
  return std::max<uint64_t>(1, count / 6);
#else
  return count;
#endif
}

}  // namespace mx
