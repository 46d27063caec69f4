#include "bench/personality/id_count.h"

#include <algorithm>
#include <charconv>

namespace bench {
namespace {

constexpr uint64_t kMaxNumber = 100'000'000;  // 12 MB of bits
constexpr size_t kMaxRuns = 1000, kMaxSlots = 1000;

bool parse(std::string_view text, uint64_t* number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

}  // namespace

void IdCount::add(std::string_view id, uint32_t slot) {
  const size_t hyphen = id.rfind('-');
  uint64_t number = 0;
  if (hyphen == std::string_view::npos || !parse(id.substr(hyphen + 1), &number) || number == 0 ||
      number > kMaxNumber || slot >= kMaxSlots) {
    ++totals_.foreign;
    return;
  }
  const std::string_view prefix = id.substr(0, hyphen);
  auto found = runs_.find(prefix);
  if (found == runs_.end()) {
    if (runs_.size() >= kMaxRuns) {
      ++totals_.foreign;
      return;
    }
    found = runs_.emplace(std::string(prefix), Run()).first;
  }
  Run& run = found->second;
  std::vector<bool>& seen = run.seen[slot];
  if (seen.size() <= number) seen.resize(std::max<size_t>(number + 1, seen.size() * 2));
  if (seen[number]) {
    ++totals_.duplicated;
    return;
  }
  seen[number] = true;
  if (slot == 0) ++totals_.distinct;
  if (number < run.highest) ++totals_.reordered;
  run.highest = std::max(run.highest, number);
}

IdTotals IdCount::totals(uint64_t expected) const {
  IdTotals totals = totals_;
  uint64_t wanted = expected;
  if (expected == 0)
    for (const auto& [prefix, run] : runs_) wanted += run.highest;
  totals.lost = wanted > totals.distinct ? wanted - totals.distinct : 0;
  return totals;
}

uint32_t recipient_slot(std::string_view forward_path) {
  const size_t at = forward_path.find('@');
  const size_t hyphen = forward_path.substr(0, at).rfind('-');
  uint64_t slot = 0;
  if (forward_path.substr(0, 4) != "user" || hyphen == std::string_view::npos ||
      at == std::string_view::npos || !parse(forward_path.substr(hyphen + 1, at - hyphen - 1), &slot) ||
      slot > UINT32_MAX)
    return 0;
  return static_cast<uint32_t>(slot);
}

}  // namespace bench
