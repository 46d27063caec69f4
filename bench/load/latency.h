// Latencies in microseconds, in buckets that are at most 1/16 wide of their value: percentiles to 6 % at a
// fixed size.
#pragma once

#include <array>
#include <cstdint>

namespace bench {

class Latency {
 public:
  void add(int64_t us);
  // The upper edge of the bucket that holds the given share (0..1) of all values; 0 when there are none.
  int64_t percentile(double share) const;
  uint64_t count() const { return count_; }
  int64_t max() const { return max_; }

 private:
  static constexpr int kSteps = 16;
  std::array<uint64_t, 64 * kSteps> buckets_{};
  uint64_t count_ = 0;
  int64_t max_ = 0;
};

}  // namespace bench
