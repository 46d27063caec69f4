// Counts the refusals of each site whose text no rule reads, and says when they rise: then somebody should
// look at them and write a rule. Bounded; pure. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "conf/vocab/time.h"

namespace relay {

class UnknownTexts {
 public:
  static constexpr conf::Duration kWindow = std::chrono::hours(1);
  static constexpr size_t kMostSites = 10'000;

  // One more of the site. The count that it reached, when that is `alarm` for the first time in an hour.
  std::optional<uint32_t> note(const std::string& site, uint32_t alarm, conf::Instant now);

 private:
  struct Count {
    conf::Instant since{};
    uint32_t texts = 0;
  };
  std::unordered_map<std::string, Count> counts_;
};

}  // namespace relay
