// The size of a body in one octet, for a delivery: rounded up, by at most an eighth. Pure.
#pragma once

#include <bit>
#include <cstdint>

namespace relay::queue {

class BodySize {
 public:
  constexpr BodySize() = default;
  static constexpr BodySize of(uint64_t bytes) {
    const uint64_t units = bytes / kUnit + (bytes % kUnit == 0 ? 0 : 1);
    BodySize size;
    if (units < kSteps) {
      size.code_ = static_cast<uint8_t>(units);
      return size;
    }
    // The highest bit and the three after it; what is behind them counts as one step more.
    int shift = static_cast<int>(std::bit_width(units)) - kBits - 1;
    uint64_t top = (units >> shift) + ((units & ((uint64_t{1} << shift) - 1)) == 0 ? 0 : 1);
    if (top == 2 * kSteps) {
      top = kSteps;
      ++shift;
    }
    if (shift > kMostShift) return largest();
    size.code_ = static_cast<uint8_t>((shift + 1) << kBits | static_cast<int>(top - kSteps));
    return size;
  }
  // It has no more octets than that.
  constexpr uint64_t bytes() const {
    const uint64_t low = code_ & (kSteps - 1);
    const int exponent = code_ >> kBits;
    return kUnit * (exponent == 0 ? low : (kSteps + low) << (exponent - 1));
  }

 private:
  static constexpr uint64_t kUnit = 64;
  static constexpr int kBits = 3;
  static constexpr uint64_t kSteps = uint64_t{1} << kBits;
  static constexpr int kMostShift = 30;
  static constexpr BodySize largest() {
    BodySize size;
    size.code_ = UINT8_MAX;
    return size;
  }
  uint8_t code_ = 0;
};

}  // namespace relay::queue
