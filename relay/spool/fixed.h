// Numbers of fixed length as they stand in our records and in the files of RocksDB: the low octet first. The
// caller knows that they are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relay::spool {

inline uint64_t fixed(std::string_view in, size_t at, size_t octets) {
  uint64_t value = 0;
  for (size_t i = octets; i > 0; --i) value = value << 8 | static_cast<uint8_t>(in[at + i - 1]);
  return value;
}
inline uint32_t fixed32(std::string_view in, size_t at) { return static_cast<uint32_t>(fixed(in, at, 4)); }
inline uint64_t fixed64(std::string_view in, size_t at) { return fixed(in, at, 8); }

// RocksDB keeps no plain CRC where what is checked may hold one itself (util/crc32c.h).
constexpr uint32_t masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; }

}  // namespace relay::spool
