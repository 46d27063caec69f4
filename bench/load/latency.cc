#include "bench/load/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench::load {

size_t Latency::bucket(uint64_t value) {
  if (value < kSteps) return static_cast<size_t>(value);
  const int shift = std::bit_width(value) - (kBits + 1);  // leaves kSteps .. 2 * kSteps - 1
  return static_cast<size_t>(static_cast<uint64_t>(shift) * kSteps + (value >> shift));
}

int64_t Latency::upper_edge(size_t index) {
  if (index < 2 * kSteps) return static_cast<int64_t>(index);
  const size_t shift = index / kSteps - 1;
  return static_cast<int64_t>(((index % kSteps + kSteps + 1) << shift) - 1);
}

void Latency::add(int64_t us) {
  us = std::max<int64_t>(us, 0);
  const size_t at = bucket(static_cast<uint64_t>(us));
  if (at >= buckets_.size()) buckets_.resize((at / kSteps + 1) * kSteps);
  ++buckets_[at];
  ++count_;
  sum_ += us;
  max_ = std::max(max_, us);
}

void Latency::merge(const Latency& other) {
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

int64_t Latency::percentile(double share) const {
  if (count_ == 0) return 0;
  // The small term takes back what 0.99 * 100 has too much in binary.
  const double exact = std::ceil(share * static_cast<double>(count_) * (1 - 1e-12));
  const uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(exact), 1, count_);
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(max_, upper_edge(i));
  }
  return max_;
}

}  // namespace bench::load
