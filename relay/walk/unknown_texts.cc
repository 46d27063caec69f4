#include "relay/walk/unknown_texts.h"

namespace relay {

std::optional<uint32_t> UnknownTexts::note(const std::string& site, uint32_t alarm, conf::Instant now) {
  if (alarm == 0) return std::nullopt;
  if (counts_.size() >= kMostSites && !counts_.contains(site))
    std::erase_if(counts_, [now](const auto& each) { return each.second.since + kWindow <= now; });
  if (counts_.size() >= kMostSites && !counts_.contains(site)) return std::nullopt;
  Count& count = counts_[site];
  if (count.texts == 0 || count.since + kWindow <= now) count = {now, 0};
  ++count.texts;
  if (count.texts != alarm) return std::nullopt;
  return count.texts;
}

}  // namespace relay
