// The size of a body, in one octet: a delivery has no more for it, and whoever has to find room for what is
// read back needs no more. Rounded up, by an eighth at the most. Pure.
#pragma once

#include <bit>
#include <cstdint>

namespace relay::queue {

class BodySize {
 public:
  BodySize() = default;  // 0 octets
  explicit BodySize(uint64_t octets) {
    const int exponent = static_cast<int>(std::bit_width(octets)) - kDigits;
    if (exponent <= 0) {  // exact
      packed_ = static_cast<uint8_t>(octets);
      return;
    }
    // What is cut off makes it one more; 16 of them are 8 of the next exponent, and so is the packed form.
    const uint64_t cut = octets >> exponent << exponent;
    const uint64_t digits = (octets >> exponent) - kHalf;
    const uint64_t packed =
        (static_cast<uint64_t>(exponent) << (kDigits - 1)) + digits + kHalf + (cut != octets);
    packed_ = packed > UINT8_MAX ? UINT8_MAX : static_cast<uint8_t>(packed);
  }

  // At least those that it was made of, up to 15 GiB.
  uint64_t octets() const {
    if (packed_ < 2 * kHalf) return packed_;
    const unsigned exponent = (packed_ >> (kDigits - 1)) - 1U;
    return (kHalf + packed_ % kHalf) << exponent;
  }

 private:
  static constexpr int kDigits = 4;
  static constexpr uint64_t kHalf = 8;  // the first digit is always set, but where all is exact

  uint8_t packed_ = 0;
};

}  // namespace relay::queue
