#include "conf/vocab/reason.h"

#include <algorithm>
#include <string>

#include "conf/vocab/ascii.h"

namespace conf {
namespace {

struct Row {
  Reason reason;
  const char* label;
  const char* name;
};

constexpr Row kRows[] = {
    {Reason::kNotDefined, "Not defined", "not-defined"},
    {Reason::kUserUnknown, "User unknown", "user-unknown"},
    {Reason::kInvalidDomain, "Invalid domain", "invalid-domain"},
    {Reason::kUnreachable, "Unreachable", "unreachable"},
    {Reason::kAccountDisabled, "Account disabled", "account-disabled"},
    {Reason::kMailboxFull, "Mailbox full", "mailbox-full"},
    {Reason::kNotConnected, "Not connected", "not-connected"},
    {Reason::kAddressNotSpecified, "Address not specified", "address-not-specified"},
    {Reason::kDenylisted, "Denylisted address", "denylisted"},
    {Reason::kInQuarantine, "Address in quarantine", "in-quarantine"},
    {Reason::kDouble, "Double", "double"},
    {Reason::kExcludedBySqlRule, "Excluded by a SQL rule", "excluded-by-sql-rule"},
    {Reason::kExcludedAfterArbitration, "Excluded after arbitration", "excluded-after-arbitration"},
    {Reason::kBadQuality, "Bad-quality address", "bad-quality"},
    {Reason::kUnqualifiedAddress, "Unqualified address", "unqualified-address"},
    {Reason::kNotEligible, "Not eligible for the offers", "not-eligible"},
    {Reason::kTargetLimited, "Target limited in size", "target-limited"},
    {Reason::kRefused, "Refused", "refused"},
    {Reason::kErrorIgnored, "Error ignored", "error-ignored"},
    {Reason::kControlAddress, "Control address", "control-address"},
};

const Row& row_of(Reason reason) {
  const auto* found = std::ranges::find(kRows, reason, &Row::reason);
  return found == std::end(kRows) ? kRows[0] : *found;
}

}  // namespace

bool is_of_reply(Reason reason) {
  return static_cast<uint8_t>(reason) <= static_cast<uint8_t>(Reason::kNotConnected) ||
         reason == Reason::kRefused;
}
const char* label(Reason reason) { return row_of(reason).label; }
const char* to_text(Reason reason) { return row_of(reason).name; }

std::optional<Reason> parse_reason(std::string_view text) {
  for (const Row& row : kRows) {
    if (equal_ignoring_case(text, row.label) || equal_ignoring_case(text, row.name) ||
        text == std::to_string(static_cast<int>(row.reason))) {
      return row.reason;
    }
  }
  return std::nullopt;
}

const std::vector<Reason>& all_reasons() {
  static const std::vector<Reason> reasons = [] {
    std::vector<Reason> all;
    for (const Row& row : kRows) all.push_back(row.reason);
    return all;
  }();
  return reasons;
}

}  // namespace conf
