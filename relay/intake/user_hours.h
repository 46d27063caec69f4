// How many messages each user handed in within the last hour ([[user]] messages_per_hour). In memory: a
// restart begins anew. Pure; loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "conf/vocab/time.h"

namespace relay {

class UserHours {
 public:
  // In the last hour, and in up to five minutes before it: so no hour ever holds more than was allowed.
  uint32_t count(const std::string& user, conf::Instant now) const;
  void add(const std::string& user, conf::Instant now);
  void take_back(const std::string& user, conf::Instant now);  // one that was not stored after all

 private:
  static constexpr size_t kSlices = 13;  // of five minutes
  struct Hour {
    std::array<uint32_t, kSlices> counts{};  // by the number of the slice, the rest of a division
    int64_t slice = 0;                       // the latest
  };
  Hour& hour_of(const std::string& user, conf::Instant now);

  std::unordered_map<std::string, Hour> hours_;  // of users that have a limit
};

}  // namespace relay
