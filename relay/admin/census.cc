#include "relay/admin/census.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include "relay/spool/message_ids.h"

namespace relay::admin {

namespace {

double seconds(conf::Duration length) { return std::max(0.0, std::chrono::duration<double>(length).count()); }

const std::string& name_of(const Census& census, const Census::Key& key, WaitingBy by) {
  static const std::string kNoSource = "(drawn when it is due)";
  static const std::string kNoRule = "(none known)";
  static const std::string kNoStream = "(none)";
  const Census::Domain& domain = census.domains[key.domain];
  const Census::Path& path = census.paths[key.path];
  const auto known = [](const std::string& text, const std::string& otherwise) -> const std::string& {
    return text.empty() ? otherwise : text;
  };
  switch (by) {
    case WaitingBy::kDomain:
      return domain.name;
    case WaitingBy::kSite:
      return known(path.site, domain.site);
    case WaitingBy::kSource:
      return known(path.source, kNoSource);
    case WaitingBy::kRule:
      return known(key.path != 0 ? path.rule : domain.rule, kNoRule);
    case WaitingBy::kStream:
      return known(census.streams[key.stream], kNoStream);
  }
  return domain.name;
}

void soonest(std::optional<double>* of, const Census& census, const Census::Cell& cell) {
  if (cell.next == conf::kNever) return;
  const double left = seconds(cell.next - census.made);
  if (!of->has_value() || left < **of) *of = left;
}

// One group while it is put together.
struct Sum {
  Waiting waiting;
  std::map<uint32_t, WaitingReason> reasons;

  void add(const Census& census, const Census::Key& key, const Census::Cell& cell) {
    waiting.counts[static_cast<size_t>(key.state)] += cell.count;
    waiting.oldest_seconds =
        std::max(waiting.oldest_seconds, seconds(census.made_wall - spool::MessageIds::time_of(cell.oldest)));
    if (key.state == WaitingState::kScheduled) soonest(&waiting.next_seconds, census, cell);
    if (key.state == WaitingState::kInFlight || key.reason == 0) return;
    WaitingReason& reason = reasons[key.reason];
    reason.text = census.reasons[key.reason];
    reason.count += cell.count;
    soonest(&reason.next_seconds, census, cell);
  }
  Waiting finish(size_t shown) {
    for (auto& [number, reason] : reasons) waiting.reasons.push_back(std::move(reason));
    std::stable_sort(waiting.reasons.begin(), waiting.reasons.end(),
                     [](const WaitingReason& a, const WaitingReason& b) { return a.count > b.count; });
    for (size_t i = shown; i < waiting.reasons.size(); ++i) {
      ++waiting.other_reasons;
      waiting.other_count += waiting.reasons[i].count;
    }
    if (waiting.reasons.size() > shown) waiting.reasons.resize(shown);
    return std::move(waiting);
  }
};

}  // namespace

const char* to_text(WaitingState state) {
  switch (state) {
    case WaitingState::kReady:
      return "ready";
    case WaitingState::kInFlight:
      return "in flight";
    case WaitingState::kScheduled:
      return "scheduled";
    case WaitingState::kHeld:
      return "on hold";
    case WaitingState::kRouting:
      return "waits for DNS";
  }
  return "unknown";
}

uint64_t Waiting::total() const { return std::accumulate(std::begin(counts), std::end(counts), uint64_t{0}); }

std::optional<WaitingBy> waiting_by(std::string_view text) {
  for (const WaitingBy by :
       {WaitingBy::kDomain, WaitingBy::kSite, WaitingBy::kSource, WaitingBy::kRule, WaitingBy::kStream}) {
    if (text == to_text(by)) return by;
  }
  return std::nullopt;
}

const char* to_text(WaitingBy by) {
  switch (by) {
    case WaitingBy::kDomain:
      return "domain";
    case WaitingBy::kSite:
      return "site";
    case WaitingBy::kSource:
      return "source";
    case WaitingBy::kRule:
      return "rule";
    case WaitingBy::kStream:
      return "stream";
  }
  return "unknown";
}

std::vector<Waiting> groups_of(const Census& census, WaitingBy by, size_t most) {
  std::map<std::string_view, Sum> sums;
  for (const auto& [key, cell] : census.cells) sums[name_of(census, key, by)].add(census, key, cell);
  std::vector<std::pair<uint64_t, std::string_view>> order;
  order.reserve(sums.size());
  for (const auto& [name, sum] : sums) order.emplace_back(sum.waiting.kept(), name);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (order.size() > most) order.resize(most);
  std::vector<Waiting> groups;
  for (const auto& [count, name] : order) {
    groups.push_back(sums[name].finish(reasons_shown(by)));
    groups.back().name = name;
  }
  return groups;
}

Waiting all_of(const Census& census) {
  Sum sum;
  for (const auto& [key, cell] : census.cells) sum.add(census, key, cell);
  return sum.finish(reasons_shown(WaitingBy::kDomain));
}

}  // namespace relay::admin
