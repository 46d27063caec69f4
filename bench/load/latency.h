// Latencies in microseconds in a histogram of fixed relative width: exact below 128 us, above it buckets of
// 1/128 of their value, so a percentile is never too low and at most 0.8 % too high. Mergeable without loss.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench::load {

inline double ms(int64_t us) { return static_cast<double>(us) / 1000.0; }  // as people read them

class Latency {
 public:
  void add(int64_t us);  // negative counts as 0
  void merge(const Latency& other);
  // The upper edge of the bucket that holds the value of rank ceil(share * count), share in 0..1, but never
  // above the maximum; 0 when there are none.
  int64_t percentile(double share) const;
  uint64_t count() const { return count_; }
  int64_t max() const { return max_; }
  double mean() const { return count_ > 0 ? static_cast<double>(sum_) / static_cast<double>(count_) : 0; }

 private:
  static constexpr int kBits = 7;
  static constexpr uint64_t kSteps = 1ULL << kBits;
  static size_t bucket(uint64_t value);
  static int64_t upper_edge(size_t index);

  std::vector<uint64_t> buckets_;  // grows with the largest value: 57 x 128 at most
  uint64_t count_ = 0;
  int64_t max_ = 0;
  int64_t sum_ = 0;
};

}  // namespace bench::load
