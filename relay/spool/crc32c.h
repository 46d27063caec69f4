// CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4): the check of every record of the spool.
#pragma once

#include <cstdint>
#include <string_view>

namespace relay::spool {

// The CRC of `data`, going on from `seed` (0 at the start). About 1 µs per 10 KB where the processor has
// SSE 4.2.
uint32_t crc32c(std::string_view data, uint32_t seed = 0);
// The same by tables, on any processor.
uint32_t crc32c_portable(std::string_view data, uint32_t seed = 0);

}  // namespace relay::spool
