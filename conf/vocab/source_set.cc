#include "conf/vocab/source_set.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "conf/vocab/text.h"

namespace conf {

namespace {

constexpr uint32_t kMostId = std::numeric_limits<uint32_t>::max();

bool id_number(std::string_view text, uint32_t* out) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return code == std::errc() && end == text.data() + text.size();
}

Error bad_range(std::string_view part, const char* why) {
  return {ErrorCode::kInvalid, "\"" + std::string(part) + "\" is not a range of source identifiers: " + why +
                                   "; write for example \"1-5\", \"7\", \"-3\" or \"9-\""};
}

}  // namespace

Result<SourceSet> SourceSet::parse(std::string_view text) {
  if (trimmed(text).empty()) return all();
  SourceSet set;
  for (;;) {
    const size_t comma = text.find(',');
    const std::string_view part = trimmed(text.substr(0, comma));
    if (part.empty()) return bad_range(part, "it is empty");
    const size_t dash = part.find('-');
    Range range{0, kMostId};
    const std::string_view first = trimmed(part.substr(0, dash));
    const std::string_view last = dash == std::string_view::npos ? first : trimmed(part.substr(dash + 1));
    if (first.empty() && last.empty()) return bad_range(part, "it has no number");
    if (!first.empty() && !id_number(first, &range.first)) return bad_range(part, "its begin is no number");
    if (!last.empty() && !id_number(last, &range.last)) return bad_range(part, "its end is no number");
    if (range.first > range.last) return bad_range(part, "it ends before it begins");
    set.ranges_.push_back(range);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  set.merge();
  return set;
}

SourceSet SourceSet::all() {
  SourceSet set;
  set.ranges_.push_back({0, kMostId});
  return set;
}

bool SourceSet::contains(uint32_t id) const {
  return std::ranges::any_of(ranges_, [id](const Range& r) { return r.first <= id && id <= r.last; });
}

bool SourceSet::covers(const SourceSet& other) const {
  return std::ranges::all_of(other.ranges_, [this](const Range& wanted) {
    return std::ranges::any_of(
        ranges_, [&wanted](const Range& r) { return r.first <= wanted.first && wanted.last <= r.last; });
  });
}

void SourceSet::add(const SourceSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  merge();
}

bool SourceSet::is_all() const {
  return ranges_.size() == 1 && ranges_[0].first == 0 && ranges_[0].last == kMostId;
}

std::string SourceSet::text() const {
  if (ranges_.empty()) return "none";
  if (is_all()) return "all";
  std::string out;
  for (const Range& r : ranges_) {
    if (!out.empty()) out += ',';
    if (r.first == r.last) {
      out += std::to_string(r.first);
      continue;
    }
    if (r.first != 0) out += std::to_string(r.first);
    out += '-';
    if (r.last != kMostId) out += std::to_string(r.last);
  }
  return out;
}

void SourceSet::merge() {
  std::ranges::sort(ranges_, [](const Range& a, const Range& b) { return a.first < b.first; });
  std::vector<Range> merged;
  for (const Range& r : ranges_) {
    const bool touches =
        !merged.empty() && (merged.back().last == kMostId || r.first <= merged.back().last + 1);
    if (touches) {
      merged.back().last = std::max(merged.back().last, r.last);
    } else {
      merged.push_back(r);
    }
  }
  ranges_ = std::move(merged);
}

}  // namespace conf
