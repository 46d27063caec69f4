#include "mx/limiter_table.h"

#include <algorithm>
#include <chrono>

#include "mx/saved.h"

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr uint64_t kVersion = 1;
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
  const bool known = in.number() == kVersion;
  header->saved = in.wall();
  header->stale = in.wall();
  if (!known || !in.ok()) return false;
  *body = in.rest();
  return true;
}

template <typename T>
std::string saved_value(T* object, const Moment& moment) {
  const conf::WallTime stale = stale_at(*object, moment);
  const std::string body = object->save(moment);
  std::string value;
  if (body.empty()) return value;
  value.reserve(body.size() + 24);
  SavedWriter out(&value, moment);
  out.number(kVersion);
  out.wall(moment.wall);
  out.wall(stale);
  return value += body;
}

}  // namespace

LimiterTable::~LimiterTable() {
  for (Entry& entry : entries_) {
    if (entry.traffic != nullptr) entry.traffic->change().attach(nullptr, 0);
    if (entry.standing != nullptr) entry.standing->change().attach(nullptr, 0);
  }
}

uint32_t LimiterTable::find_or_make(std::string&& key) {
  Part& part_of_key = part(key);
  if (const auto found = part_of_key.find(key); found != part_of_key.end()) return found->second;
  uint32_t number = static_cast<uint32_t>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  entries_[number].key = std::move(key);
  part_of_key.emplace(entries_[number].key, number);
  return number;
}

void LimiterTable::erase(uint32_t number) {
  Entry& entry = entries_[number];
  part(entry.key).erase(entry.key);
  if (entry.stored) forgotten_.push_back(std::move(entry.key));
  entry = Entry();
  free_.push_back(number);
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
std::shared_ptr<T> LimiterTable::use(std::shared_ptr<T> Entry::*slot, std::string&& key,
                                     const PathLimits& limits, const Moment& moment) {
  const uint32_t number = find_or_make(std::move(key));
  Entry& entry = entries_[number];
  std::shared_ptr<T>& object = entry.*slot;
  if (object != nullptr && entry.saved == nullptr) {
    object->set(limits);
    return object;
  }
  // A standing that was there to be shown may have got an operator's order.
  const bool ordered = object != nullptr && object->dirty();
  std::string saved = entry.saved == nullptr ? std::string() : std::move(*entry.saved);
  if (ordered) saved = saved_value(object.get(), moment);
  if (object != nullptr) object->change().attach(nullptr, 0);
  entry.saved.reset();
  object = std::make_shared<T>(limits);
  revive(object.get(), saved, moment);
  if (ordered) object->change().mark();
  object->change().attach(&changes_, number);
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

void LimiterTable::save(uint32_t number, const Moment& moment,
                        std::vector<std::pair<std::string, std::string>>* out) {
  Entry& entry = entries_[number];
  std::string value;
  if (entry.traffic != nullptr && entry.traffic->dirty()) {
    value = saved_value(entry.traffic.get(), moment);
  } else if (entry.standing != nullptr && entry.standing->dirty()) {
    value = saved_value(entry.standing.get(), moment);
  } else {
    return;  // its number was given to another entry since
  }
  if (entry.saved != nullptr) *entry.saved = value;
  if (value.empty() && !entry.stored) return;
  entry.stored = !value.empty();
  out->emplace_back(entry.key, std::move(value));
}

std::vector<std::pair<std::string, std::string>> LimiterTable::take_changes(const Moment& moment,
                                                                            size_t most) {
  std::vector<std::pair<std::string, std::string>> out;
  if (round_.empty()) round_.swap(changes_);
  const size_t count = std::min(most, round_.size());
  taken_.assign(round_.end() - static_cast<ptrdiff_t>(count), round_.end());
  round_.resize(round_.size() - count);
  out.reserve(count + forgotten_.size() + 2);
  taken_forgotten_.clear();
  taken_forgotten_.swap(forgotten_);
  taken_gaps_ = std::exchange(gaps_changed_, false);
  // First what is forgotten: the same key may have been made again since.
  for (const std::string& key : taken_forgotten_) out.emplace_back(key, std::string());
  for (const uint32_t number : taken_) save(number, moment, &out);
  if (taken_gaps_) out.emplace_back(kGapsKey, save_gaps(moment));
  return out;
}

void LimiterTable::not_written() {
  for (const uint32_t number : taken_) {
    Entry& entry = entries_[number];
    entry.stored = !entry.key.empty();  // who knows
    if (entry.traffic != nullptr) entry.traffic->change().mark();
    if (entry.standing != nullptr) entry.standing->change().mark();
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
  const uint32_t number = find_or_make(std::string(key));
  Entry& entry = entries_[number];
  entry.stored = true;
  if (entry.traffic != nullptr || entry.standing != nullptr) return true;
  entry.saved = std::make_unique<std::string>(value);
  if (parsed.kind == 'S' && shown->state() != Standing::State::kOpen) {
    entry.standing = std::move(shown);
    entry.standing->change().attach(&changes_, number);
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
  out.number(kVersion);
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
  if (in.number() != kVersion) return false;
  for (uint64_t left = in.number(kMostGaps); left > 0 && in.ok(); --left) {
    const conf::WallTime begin = in.wall(), end = in.wall();
    if (begin > end || begin == conf::WallTime::min() || end == conf::WallTime::max()) in.fail();
    gaps.push_back({begin, end});
  }
  if (!in.ok() || !in.ended()) return false;
  for (const Gap& gap : gaps) assume_gap(gap.begin, gap.end);
  return true;
}

// Drops the entry when nobody holds it and there is nothing in it to remember.
void LimiterTable::erase_stale(uint32_t number, const Moment& moment) {
  Entry& entry = entries_[number];
  if (entry.key.empty()) return;
  if (entry.saved != nullptr) {
    Header header;
    std::string_view body;
    const bool stale = !split(*entry.saved, &header, &body) || header.stale <= moment.wall;
    if (stale && (entry.standing == nullptr || !entry.standing->dirty())) erase(number);
    return;
  }
  const auto forgettable = [&moment](const auto& object) {
    return object.use_count() == 1 && !object->dirty() && object->idle(moment.now);
  };
  if (entry.traffic != nullptr ? forgettable(entry.traffic) : forgettable(entry.standing)) erase(number);
}

void LimiterTable::sweep(const Moment& moment) {
  const size_t looks = std::min(kSweep, entries_.size());
  for (size_t i = 0; i < looks; ++i) {
    if (swept_ >= entries_.size()) swept_ = 0;
    erase_stale(static_cast<uint32_t>(swept_++), moment);
  }
  const auto old = [&moment](const Gap& gap) { return later(gap.end, kKeepGap) <= moment.wall; };
  if (std::ranges::any_of(gaps_, old)) gaps_changed_ = true;
}

void LimiterTable::for_each_traffic(const std::function<void(const std::string& key, Traffic&)>& use) {
  for (const Entry& entry : entries_) {
    if (entry.traffic != nullptr) use(entry.key, *entry.traffic);
  }
}

void LimiterTable::for_each_standing(const std::function<void(const std::string& key, Standing&)>& use) {
  for (const Entry& entry : entries_) {
    if (entry.standing != nullptr) use(entry.key, *entry.standing);
  }
}

}  // namespace mx
