#include "mx/limits/limiter_table.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "mx/limits/saved.h"

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr uint64_t kTableVersion = 1;
constexpr std::string_view kGapsKey = "G";
constexpr size_t kMostGaps = 16;  // crashes within a day that are told apart

constexpr conf::Duration kKeepGap = SlidingWindow::reach(24h);  // the day of a ladder or of a rate
constexpr std::string_view kRulesKey = "R";

conf::WallTime later(conf::WallTime at, conf::Duration by) {
  return at > conf::WallTime::max() - by ? conf::WallTime::max() : at + by;
}

// What is kept in memory is read each time that somebody takes it over, and is told of no heirs.
std::string with_heirs(std::string_view value, const CounterHeader& known) {
  CounterHeader header;
  std::string_view body;
  if (!split_value(value, &header, &body)) return std::string(value);
  header.heirs = known.heirs;
  return join_value(header, body);
}

}  // namespace

LimiterTable::~LimiterTable() {
  for (Entry& entry : entries_) {
    if (entry.traffic.object != nullptr) entry.traffic.object->change().attach(nullptr, 0);
    if (entry.standing.object != nullptr) entry.standing.object->change().attach(nullptr, 0);
  }
}

uint32_t LimiterTable::find(std::string_view name) const {
  const size_t hash = hash_of(name);
  return parts_[hash % kParts].find(static_cast<uint32_t>(hash / kParts),
                                    [this, name](uint32_t number) { return entries_[number].name == name; });
}

uint32_t LimiterTable::find_or_make(std::string_view name) {
  const uint32_t found = find(name);
  if (found != NumberIndex::kNone) return found;
  uint32_t number = static_cast<uint32_t>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  entries_[number].name = name;
  const size_t hash = hash_of(name);
  parts_[hash % kParts].insert(static_cast<uint32_t>(hash / kParts), number);
  const size_t place = hash_of(place_of(name));
  places_[place % kParts].insert(static_cast<uint32_t>(place / kParts), number);
  return number;
}

template <typename T>
void LimiterTable::forget(Counters<T> Entry::*slot, Entry* entry) {
  if ((entry->*slot).stored) forgotten_.push_back(kKind<T> + entry->name);
  entry->*slot = {};
}

template <typename T>
void LimiterTable::revive(T* object, std::string_view saved, const Moment& moment) const {
  CounterHeader header;
  header.saved = conf::WallTime::min();
  std::string_view body;
  if (!saved.empty() && split_value(saved, &header, &body)) object->restore(body, moment);
  for (const CounterGap& gap : gaps_) {
    if (gap.end <= header.saved || later(gap.end, kKeepGap) <= moment.wall) continue;
    const conf::Instant end = moment.to_past(gap.end);
    object->assume_used(end - (gap.end - std::max(gap.begin, header.saved)), end);
  }
}
template void LimiterTable::revive(Traffic*, std::string_view, const Moment&) const;
template void LimiterTable::revive(Standing*, std::string_view, const Moment&) const;

template <typename T>
void LimiterTable::save(Counters<T> Entry::*slot, uint32_t number, const Moment& moment,
                        std::vector<std::pair<std::string, std::string>>* out) {
  Counters<T>& counters = entries_[number].*slot;
  // Its number may have been given to another entry since.
  const bool changed = counters.object != nullptr && counters.object->dirty();
  if (!changed && (!counters.resave || counters.saved == nullptr)) return;
  std::string value;
  if (changed) {
    value = value_of(counters.object.get(), counters.header(), moment);
  } else {
    value = with_heirs(*counters.saved, counters.header());
  }
  if (counters.saved != nullptr) *counters.saved = with_heirs(value, {});
  counters.resave = false;
  if (value.empty() && !counters.stored) return;
  counters.stored = !value.empty();
  out->emplace_back(kKind<T> + entries_[number].name, std::move(value));
}

std::vector<std::pair<std::string, std::string>> LimiterTable::take_changes(const Moment& moment,
                                                                            size_t most) {
  std::vector<std::pair<std::string, std::string>> out;
  if (round_.empty()) round_.swap(changes_);
  // First what is forgotten, all of it: the same key may have been made again since.
  const size_t gone = std::min(most, forgotten_.size());
  const auto rest = forgotten_.end() - static_cast<ptrdiff_t>(gone);
  taken_forgotten_.assign(std::make_move_iterator(rest), std::make_move_iterator(forgotten_.end()));
  forgotten_.erase(rest, forgotten_.end());
  const size_t count = std::min(most - gone, round_.size());
  taken_.assign(round_.end() - static_cast<ptrdiff_t>(count), round_.end());
  round_.resize(round_.size() - count);
  out.reserve(count + gone + 2);
  taken_gaps_ = std::exchange(gaps_changed_, false);
  for (const std::string& key : taken_forgotten_) out.emplace_back(key, std::string());
  for (const uint32_t change : taken_) {
    if (change % 2 == kOfStanding) {
      save(&Entry::standing, change / 2, moment, &out);
    } else {
      save(&Entry::traffic, change / 2, moment, &out);
    }
  }
  if (taken_gaps_) out.emplace_back(kGapsKey, save_gaps(moment));
  taken_rules_ = std::exchange(rules_changed_, false);
  if (taken_rules_) out.emplace_back(kRulesKey, rules_.save());
  return out;
}

template <typename T>
void LimiterTable::save_again(Counters<T>* counters, uint32_t change) {
  counters->stored = !counters->empty();  // who knows
  if (counters->object != nullptr) counters->object->change().mark();
  if (counters->object != nullptr || counters->saved == nullptr) return;
  counters->resave = true;
  changes_.push_back(change);
}

void LimiterTable::not_written() {
  for (const uint32_t change : taken_) {
    Entry& entry = entries_[change / 2];
    if (change % 2 == kOfStanding) {
      save_again(&entry.standing, change);
    } else {
      save_again(&entry.traffic, change);
    }
  }
  taken_.clear();
  for (std::string& key : taken_forgotten_) forgotten_.push_back(std::move(key));
  taken_forgotten_.clear();
  gaps_changed_ = gaps_changed_ || taken_gaps_;
  rules_changed_ = rules_changed_ || taken_rules_;
}

bool LimiterTable::restore(std::string_view key, std::string_view value, const Moment& moment) {
  if (key == kGapsKey) return restore_gaps(value, moment);
  if (key == kRulesKey) {
    rules_changed_ = true;
    return rules_.restore(value);
  }
  CounterKey parsed;
  CounterHeader header;
  std::string_view body;
  if (!parse_key(key, &parsed) || !split_value(value, &header, &body)) return false;
  auto shown = std::make_shared<Standing>(PathLimits());
  if (parsed.kind == 'T' ? !Traffic(PathLimits()).restore(body, moment) : !shown->restore(body, moment))
    return false;
  if (header.stale <= moment.wall) {
    forgotten_.emplace_back(key);
    return true;
  }
  const uint32_t number = find_or_make(key.substr(1));
  Entry& entry = entries_[number];
  const auto is_known = [&header, key](auto* counters) {
    counters->stored = true;
    if (counters->object != nullptr) return;
    counters->id = header.id != 0 ? header.id : hash_that_lasts(key);
    counters->made = header.made;
    if (!header.heirs.empty())
      counters->estate = std::make_unique<CounterEstate>(CounterEstate{header.heirs});
  };
  if (parsed.kind == 'T') {
    is_known(&entry.traffic);
    if (entry.traffic.object == nullptr)
      entry.traffic.saved = std::make_unique<std::string>(with_heirs(value, {}));
    return true;
  }
  is_known(&entry.standing);
  if (entry.standing.object != nullptr) return true;
  entry.standing.saved = std::make_unique<std::string>(with_heirs(value, {}));
  if (shown->state() != Standing::State::kOpen) {
    entry.standing.object = std::move(shown);
    attach(entry.standing.object.get(), number);
  }
  return true;
}

void LimiterTable::assume_gap(conf::WallTime begin, conf::WallTime end) {
  gaps_changed_ = true;
  gaps_.push_back({std::min(begin, end), end});
  if (gaps_.size() <= kMostGaps) return;
  // The two oldest become one, and what was between them counts as unknown too.
  std::ranges::sort(gaps_, {}, &CounterGap::end);
  gaps_[1].begin = std::min(gaps_[0].begin, gaps_[1].begin);
  gaps_.erase(gaps_.begin());
}

std::string LimiterTable::save_gaps(const Moment& moment) {
  std::erase_if(gaps_, [&moment](const CounterGap& gap) { return later(gap.end, kKeepGap) <= moment.wall; });
  std::string value;
  if (gaps_.empty()) return value;
  SavedWriter out(&value, moment);
  out.number(kTableVersion);
  out.number(gaps_.size());
  for (const CounterGap& gap : gaps_) {
    out.wall(gap.begin);
    out.wall(gap.end);
  }
  return value;
}

bool LimiterTable::restore_gaps(std::string_view value, const Moment& moment) {
  SavedReader in(value, moment);
  std::vector<CounterGap> gaps;
  if (in.number() != kTableVersion) return false;
  for (uint64_t left = in.number(kMostGaps); left > 0 && in.ok(); --left) {
    const conf::WallTime begin = in.wall(), end = in.wall();
    if (begin > end || begin == conf::WallTime::min() || end == conf::WallTime::max()) in.fail();
    gaps.push_back({begin, end});
  }
  if (!in.ok() || !in.ended()) return false;
  for (const CounterGap& gap : gaps) assume_gap(gap.begin, gap.end);
  return true;
}

// Drops counters that nobody holds when there is nothing in them to remember.
template <typename T>
void LimiterTable::forget_stale(Counters<T> Entry::*slot, Entry* entry, const Moment& moment) {
  Counters<T>* counters = &(entry->*slot);
  const std::shared_ptr<T>& object = counters->object;
  bool stale = false;
  if (counters->saved != nullptr) {
    CounterHeader header;
    std::string_view body;
    stale = !split_value(*counters->saved, &header, &body) || header.stale <= moment.wall;
    stale = stale && (object == nullptr || !object->dirty());
  } else if (object != nullptr) {
    stale = object.use_count() == 1 && !object->dirty() && object->idle(moment.now);
  }
  if (stale) forget(slot, entry);
}

void LimiterTable::erase_stale(uint32_t number, const Moment& moment) {
  Entry& entry = entries_[number];
  if (entry.name.empty()) return;
  forget_stale(&Entry::traffic, &entry, moment);
  forget_stale(&Entry::standing, &entry, moment);
  if (!entry.traffic.empty() || !entry.standing.empty()) return;
  const size_t hash = hash_of(entry.name);
  parts_[hash % kParts].erase(static_cast<uint32_t>(hash / kParts), number);
  const size_t place = hash_of(place_of(entry.name));
  places_[place % kParts].erase(static_cast<uint32_t>(place / kParts), number);
  entry = Entry();
  free_.push_back(number);
}

void LimiterTable::sweep(const Moment& moment) {
  const size_t looks = std::min(kSweep, entries_.size());
  for (size_t i = 0; i < looks; ++i) {
    if (swept_ >= entries_.size()) swept_ = 0;
    count_detached(entries_[swept_], moment.now, &detached_so_far_);
    erase_stale(static_cast<uint32_t>(swept_++), moment);
    if (swept_ >= entries_.size()) detached_ = std::exchange(detached_so_far_, {});
  }
  const auto old = [&moment](const CounterGap& gap) { return later(gap.end, kKeepGap) <= moment.wall; };
  if (std::ranges::any_of(gaps_, old)) gaps_changed_ = true;
}

}  // namespace mx
