#include "relay/spool/manifest.h"

#include <algorithm>
#include <optional>
#include <string>

#include "relay/spool/log_mend.h"

namespace relay::spool {

namespace {

// The first fields of an edit. Those behind them, the files, say nothing about logs.
constexpr uint64_t kComparator = 1, kLogNumber = 2, kNextFile = 3, kLastSequence = 4, kPreviousLog = 9,
                   kOldestLog = 10, kMostTables = 203;
constexpr uint64_t kMayBePassedOver = 1 << 13;  // a text, whatever it says

std::optional<uint64_t> take_number(std::string_view* in) {
  uint64_t number = 0;
  for (int shift = 0; !in->empty() && shift < 64; shift += 7) {
    const auto octet = static_cast<uint8_t>(in->front());
    in->remove_prefix(1);
    number |= static_cast<uint64_t>(octet & 0x7f) << shift;
    if (octet < 0x80) return number;
  }
  return std::nullopt;
}

uint64_t oldest_log_of(std::string_view edit) {
  while (const std::optional<uint64_t> tag = take_number(&edit)) {
    if (*tag == kComparator || (*tag & kMayBePassedOver) != 0) {
      const std::optional<uint64_t> size = take_number(&edit);
      if (!size || *size > edit.size()) return 0;
      edit.remove_prefix(*size);
    } else if (*tag == kLogNumber || *tag == kNextFile || *tag == kLastSequence || *tag == kPreviousLog ||
               *tag == kOldestLog || *tag == kMostTables) {
      const std::optional<uint64_t> number = take_number(&edit);
      if (*tag == kOldestLog) return number.value_or(0);
    } else {
      return 0;
    }
  }
  return 0;
}

}  // namespace

uint64_t oldest_log_needed(std::string_view manifest) {
  uint64_t oldest = 0;
  for (const std::string& edit : read_log(manifest)) oldest = std::max(oldest, oldest_log_of(edit));
  return oldest;
}

}  // namespace relay::spool
