// What of the header of a message stands in every line of the log about it, so that applications find their
// own message there: its Message-ID, and the fields that the configuration lists.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace conf {

struct LoggedHeader {
  static constexpr size_t kMostFields = 16;
  static constexpr size_t kIdOctets = 512;     // longer ones are cut
  static constexpr size_t kValueOctets = 256;  // the same

  std::string message_id;  // without angle brackets; empty: it has none
  // Name as the configuration has it, value unfolded (RFC 5322 §2.2.3); in the order of the configuration.
  std::vector<std::pair<std::string, std::string>> fields;
  bool operator==(const LoggedHeader&) const = default;
};

// Shared by the record of a message and all events about it. Null: nothing of it is logged.
using LoggedHeaderPtr = std::shared_ptr<const LoggedHeader>;

}  // namespace conf
