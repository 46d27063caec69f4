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

// For how long what is saved now is worth reading. Counts of an hour are worth an hour.
constexpr conf::Duration kKeepBlock = 24h;   // after its end: the next one is longer
constexpr conf::Duration kKeepSample = 48h;  // the longest window of a threshold, see rule_check.cc
constexpr conf::Duration kKeepLearned = 24h * 7;
constexpr conf::Duration kKeepGap = SlidingWindow::reach(24h);  // the day of a ladder or of a rate

conf::WallTime later(conf::WallTime at, conf::Duration by) {
  return at > conf::WallTime::max() - by ? conf::WallTime::max() : at + by;
}

conf::WallTime stale_at(Traffic& traffic, const Moment& moment) {
  return moment.to_wall(traffic.worth_until(moment.now));
}

conf::WallTime stale_at(Standing& standing, const Moment& moment) {
  const bool learned = standing.learned_per_hour() != 0 || standing.ladder(moment.now).per_day != 0;
  const conf::WallTime keep = moment.wall + (learned ? kKeepLearned : kKeepSample);
  if (standing.state() == Standing::State::kOpen) return keep;
  return std::max(keep, later(moment.to_wall(standing.blocked_until()), kKeepBlock));
}

// What stands before the bytes that the counters themselves write.
struct Header {
  conf::WallTime saved{};
  conf::WallTime stale{};
};

bool split(std::string_view value, Header* header, std::string_view* body) {
  const Moment moment;
  SavedReader in(value, moment);
  const bool known = in.number() == kTableVersion;
  header->saved = in.wall();
  header->stale = in.wall();
  if (!known || !in.ok()) return false;
  *body = in.rest();
  return true;
}

constexpr std::string_view kManySites = "|*|";

uint64_t weight(Traffic& traffic, conf::Instant now) { return traffic.used_in_hour(now); }
uint64_t weight(Standing& standing, conf::Instant now) {
  if (standing.state() != Standing::State::kBlocked)
    return standing.state() == Standing::State::kOpen ? 0 : 1;
  return static_cast<uint64_t>(std::max<int64_t>(2, (standing.blocked_until() - now).count()));
}

template <typename T>
bool is_more(std::string_view saved, std::string_view than, const Moment& moment) {
  if (saved.empty() || than.empty()) return !saved.empty();
  T one{PathLimits()}, other{PathLimits()};
  Header header;
  std::string_view body;
  if (!split(saved, &header, &body) || !one.restore(body, moment)) return false;
  if (!split(than, &header, &body) || !other.restore(body, moment)) return true;
  return weight(one, moment.now) > weight(other, moment.now);
}

template <typename T>
std::string saved_value(T* object, const Moment& moment) {
  const conf::WallTime stale = stale_at(*object, moment);
  const std::string body = object->save(moment);
  std::string value;
  if (body.empty()) return value;
  value.reserve(body.size() + 24);
  SavedWriter out(&value, moment);
  out.number(kTableVersion);
  out.wall(moment.wall);
  out.wall(stale);
  return value += body;
}

}  // namespace

// Of "|RULE|SITE|SOURCE...": what follows the rule.
std::string_view LimiterTable::place_of(std::string_view name) {
  const size_t bar = name.find('|', 1);
  return bar == std::string_view::npos ? std::string_view() : name.substr(bar);
}

LimiterTable::~LimiterTable() {
  for (Entry& entry : entries_) {
    if (entry.traffic.object != nullptr) entry.traffic.object->change().attach(nullptr, 0);
    if (entry.standing.object != nullptr) entry.standing.object->change().attach(nullptr, 0);
  }
}

uint32_t LimiterTable::find_or_make(std::string_view name) {
  const size_t hash = hash_of(name);
  NumberIndex& part = parts_[hash % kParts];
  const auto short_hash = static_cast<uint32_t>(hash / kParts);
  const uint32_t found =
      part.find(short_hash, [this, name](uint32_t number) { return entries_[number].name == name; });
  if (found != NumberIndex::kNone) return found;
  uint32_t number = static_cast<uint32_t>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  entries_[number].name = name;
  part.insert(short_hash, number);
  const size_t place = hash_of(place_of(name));
  places_[place % kParts].insert(static_cast<uint32_t>(place / kParts), number);
  return number;
}

template <typename T>
void LimiterTable::forget(const Entry& entry, Counters<T>* counters) {
  if (counters->stored) forgotten_.push_back(kKind<T> + entry.name);
  *counters = {};
}

template <typename T>
void LimiterTable::attach(T* object, uint32_t number) {
  object->change().attach(&changes_, number * 2 + (std::is_same_v<T, Standing> ? kOfStanding : 0));
}

template <typename T>
void LimiterTable::revive(T* object, std::string_view saved, const Moment& moment) const {
  Header header{conf::WallTime::min(), {}};
  std::string_view body;
  if (!saved.empty() && split(saved, &header, &body)) object->restore(body, moment);
  for (const Gap& gap : gaps_) {
    if (gap.end <= header.saved || later(gap.end, kKeepGap) <= moment.wall) continue;
    const conf::Instant end = moment.to_past(gap.end);
    object->assume_used(end - (gap.end - std::max(gap.begin, header.saved)), end);
  }
}

template <typename T>
void LimiterTable::carry(T* from, T* to, const Moment& moment) {
  if (from == to || !to->save(moment).empty()) return;
  to->restore(from->save(moment), moment);
  from->change().mark();  // what was saved here did not reach the disk
  to->change().mark();
}
template void LimiterTable::carry(Traffic*, Traffic*, const Moment&);
template void LimiterTable::carry(Standing*, Standing*, const Moment&);

// What is known of the same site and source under a rule that decides no more: of several the one whose block
// lasts longest, or that counted most.
template <typename T>
std::string LimiterTable::left_behind(Counters<T> Entry::*slot, uint32_t number, const Moment& moment) {
  const std::string& name = entries_[number].name;
  const std::string_view place = place_of(name);
  std::string best;
  // Of many sites: it is not known which. An address is one receiver.
  if (place.starts_with(kManySites) && place.ends_with("|*")) return best;
  const size_t hash = hash_of(place);
  places_[hash % kParts].find(static_cast<uint32_t>(hash / kParts), [&](uint32_t other) {
    Counters<T>& counters = entries_[other].*slot;
    if (other == number || counters.empty() || place_of(entries_[other].name) != place) return false;
    CounterKey key;
    if (!parse_key(kKind<T> + entries_[other].name, &key) || is_current(key.names)) return false;
    std::string saved = counters.saved == nullptr ? std::string() : *counters.saved;
    if (counters.object != nullptr && (saved.empty() || counters.object->dirty())) {
      saved = saved_value(counters.object.get(), moment);
      counters.object->change().mark();  // what was saved here did not reach the disk
    }
    if (is_more<T>(saved, best, moment)) best = std::move(saved);
    return false;  // look at all
  });
  return best;
}

template <typename T>
std::shared_ptr<T> LimiterTable::use(Counters<T> Entry::*slot, std::string_view key, const PathLimits& limits,
                                     const Moment& moment) {
  const uint32_t number = find_or_make(key.substr(1));
  Counters<T>& counters = entries_[number].*slot;
  std::shared_ptr<T>& object = counters.object;
  if (object != nullptr && counters.saved == nullptr) {
    object->set(limits);
    return object;
  }
  // A standing that was there to be shown may have got an operator's order.
  const bool ordered = object != nullptr && object->dirty();
  const bool fresh = counters.saved == nullptr;
  std::string saved =
      counters.saved == nullptr ? left_behind(slot, number, moment) : std::move(*counters.saved);
  if (ordered) saved = saved_value(object.get(), moment);
  if (object != nullptr) object->change().attach(nullptr, 0);
  counters.saved.reset();
  object = std::make_shared<T>(limits);
  revive(object.get(), saved, moment);
  if (ordered || (fresh && !saved.empty())) object->change().mark();
  attach(object.get(), number);
  return object;
}

std::shared_ptr<Traffic> LimiterTable::traffic(const CounterNames& names, std::string_view address,
                                               const PathLimits& limits, const Moment& moment) {
  return use(&Entry::traffic, traffic_key(names, address, limits), limits, moment);
}

std::shared_ptr<Standing> LimiterTable::standing(const CounterNames& names, const PathLimits& limits,
                                                 const Moment& moment) {
  return use(&Entry::standing, standing_key(names, limits), limits, moment);
}

template <typename T>
void LimiterTable::save(const Entry& entry, Counters<T>* counters, const Moment& moment,
                        std::vector<std::pair<std::string, std::string>>* out) {
  // Its number may have been given to another entry since.
  if (counters->object == nullptr || !counters->object->dirty()) return;
  std::string value = saved_value(counters->object.get(), moment);
  if (counters->saved != nullptr) *counters->saved = value;
  if (value.empty() && !counters->stored) return;
  counters->stored = !value.empty();
  out->emplace_back(kKind<T> + entry.name, std::move(value));
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
    Entry& entry = entries_[change / 2];
    if (change % 2 == kOfStanding) {
      save(entry, &entry.standing, moment, &out);
    } else {
      save(entry, &entry.traffic, moment, &out);
    }
  }
  if (taken_gaps_) out.emplace_back(kGapsKey, save_gaps(moment));
  return out;
}

template <typename T>
void LimiterTable::save_again(Counters<T>* counters) {
  counters->stored = !counters->empty();  // who knows
  if (counters->object != nullptr) counters->object->change().mark();
}

void LimiterTable::not_written() {
  for (const uint32_t change : taken_) {
    Entry& entry = entries_[change / 2];
    if (change % 2 == kOfStanding) {
      save_again(&entry.standing);
    } else {
      save_again(&entry.traffic);
    }
  }
  taken_.clear();
  for (std::string& key : taken_forgotten_) forgotten_.push_back(std::move(key));
  taken_forgotten_.clear();
  gaps_changed_ = gaps_changed_ || taken_gaps_;
}

bool LimiterTable::restore(std::string_view key, std::string_view value, const Moment& moment) {
  if (key == kGapsKey) return restore_gaps(value, moment);
  CounterKey parsed;
  Header header;
  std::string_view body;
  if (!parse_key(key, &parsed) || !split(value, &header, &body)) return false;
  auto shown = std::make_shared<Standing>(PathLimits());
  if (parsed.kind == 'T' ? !Traffic(PathLimits()).restore(body, moment) : !shown->restore(body, moment))
    return false;
  if (header.stale <= moment.wall) {
    forgotten_.emplace_back(key);
    return true;
  }
  const uint32_t number = find_or_make(key.substr(1));
  Entry& entry = entries_[number];
  if (parsed.kind == 'T') {
    entry.traffic.stored = true;
    if (entry.traffic.object == nullptr) entry.traffic.saved = std::make_unique<std::string>(value);
    return true;
  }
  entry.standing.stored = true;
  if (entry.standing.object != nullptr) return true;
  entry.standing.saved = std::make_unique<std::string>(value);
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
  std::ranges::sort(gaps_, {}, &Gap::end);
  gaps_[1].begin = std::min(gaps_[0].begin, gaps_[1].begin);
  gaps_.erase(gaps_.begin());
}

std::string LimiterTable::save_gaps(const Moment& moment) {
  std::erase_if(gaps_, [&moment](const Gap& gap) { return later(gap.end, kKeepGap) <= moment.wall; });
  std::string value;
  if (gaps_.empty()) return value;
  SavedWriter out(&value, moment);
  out.number(kTableVersion);
  out.number(gaps_.size());
  for (const Gap& gap : gaps_) {
    out.wall(gap.begin);
    out.wall(gap.end);
  }
  return value;
}

bool LimiterTable::restore_gaps(std::string_view value, const Moment& moment) {
  SavedReader in(value, moment);
  std::vector<Gap> gaps;
  if (in.number() != kTableVersion) return false;
  for (uint64_t left = in.number(kMostGaps); left > 0 && in.ok(); --left) {
    const conf::WallTime begin = in.wall(), end = in.wall();
    if (begin > end || begin == conf::WallTime::min() || end == conf::WallTime::max()) in.fail();
    gaps.push_back({begin, end});
  }
  if (!in.ok() || !in.ended()) return false;
  for (const Gap& gap : gaps) assume_gap(gap.begin, gap.end);
  return true;
}

// Drops counters that nobody holds when there is nothing in them to remember.
template <typename T>
void LimiterTable::forget_stale(const Entry& entry, Counters<T>* counters, const Moment& moment) {
  const std::shared_ptr<T>& object = counters->object;
  bool stale = false;
  if (counters->saved != nullptr) {
    Header header;
    std::string_view body;
    stale = !split(*counters->saved, &header, &body) || header.stale <= moment.wall;
    stale = stale && (object == nullptr || !object->dirty());
  } else if (object != nullptr) {
    stale = object.use_count() == 1 && !object->dirty() && object->idle(moment.now);
  }
  if (stale) forget(entry, counters);
}

void LimiterTable::erase_stale(uint32_t number, const Moment& moment) {
  Entry& entry = entries_[number];
  if (entry.name.empty()) return;
  forget_stale(entry, &entry.traffic, moment);
  forget_stale(entry, &entry.standing, moment);
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
    count_detached(entries_[swept_], &detached_so_far_);
    erase_stale(static_cast<uint32_t>(swept_++), moment);
    if (swept_ >= entries_.size()) detached_ = std::exchange(detached_so_far_, {});
  }
  const auto old = [&moment](const Gap& gap) { return later(gap.end, kKeepGap) <= moment.wall; };
  if (std::ranges::any_of(gaps_, old)) gaps_changed_ = true;
}

}  // namespace mx
