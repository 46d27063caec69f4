// Why mail did not reach an address: the twenty reasons, with the technical values that other systems store
// and exchange. Several belong to the preparation of a list and never follow from a reply; they are
// understood in imports and reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace conf {

enum class Reason : uint8_t {
  kNotDefined = 0,
  kUserUnknown = 1,
  kInvalidDomain = 2,
  kUnreachable = 3,
  kAccountDisabled = 4,
  kMailboxFull = 5,
  kNotConnected = 6,
  kAddressNotSpecified = 7,
  kDenylisted = 8,
  kInQuarantine = 9,
  kDouble = 10,
  kExcludedBySqlRule = 11,
  kExcludedAfterArbitration = 12,
  kBadQuality = 14,
  kUnqualifiedAddress = 15,
  kNotEligible = 16,
  kTargetLimited = 17,
  kRefused = 20,
  kErrorIgnored = 25,
  kControlAddress = 127,
};

// "User unknown": for people, and in the answers of `penstock classify`.
const char* label(Reason reason);
// "user-unknown": in rules, the configuration and the delivery log.
const char* to_text(Reason reason);
// By name, label or technical value ("5"), whatever the case; nothing when there is no such reason.
// Those that a reply can have, and not only the preparation of a list.
bool is_of_reply(Reason reason);
std::optional<Reason> parse_reason(std::string_view text);
// All, in the order of their values.
const std::vector<Reason>& all_reasons();

}  // namespace conf
