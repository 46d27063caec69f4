#include "bench/load/latency.h"

#include <algorithm>
#include <bit>

namespace bench {

void Latency::add(int64_t us) {
  const uint64_t value = static_cast<uint64_t>(std::max<int64_t>(us, 0));
  size_t index = static_cast<size_t>(value);
  if (value >= kSteps) {
    const int shift = std::bit_width(value) - 5;  // leaves 16..31
    index = static_cast<size_t>(shift + 1) * kSteps + static_cast<size_t>((value >> shift) - kSteps);
  }
  ++buckets_[std::min(index, buckets_.size() - 1)];
  ++count_;
  max_ = std::max(max_, us);
}

int64_t Latency::percentile(double share) const {
  if (count_ == 0) return 0;
  const uint64_t rank = static_cast<uint64_t>(share * static_cast<double>(count_ - 1)) + 1;
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen < rank) continue;
    if (i < kSteps) return static_cast<int64_t>(i);
    const size_t shift = i / kSteps - 1;
    return std::min<int64_t>(max_, static_cast<int64_t>(((i % kSteps + kSteps + 1) << shift) - 1));
  }
  return max_;
}

}  // namespace bench
