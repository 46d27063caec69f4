// What people are shown of all counters.
#include "mx/limits/limiter_table.h"

namespace mx {

namespace {

constexpr size_t kFew = 4096;  // entries that may be looked at in one go

bool is_detached(const std::shared_ptr<Standing>& standing) {
  return standing != nullptr && standing.use_count() == 1 && standing->state() != Standing::State::kOpen;
}

}  // namespace

bool LimiterTable::is_superseded(const Entry& entry) const {
  CounterKey key;
  if (!parse_key('S' + entry.name, &key) || is_current(key.names)) return false;
  const std::string_view place = place_of(entry.name);
  const size_t hash = hash_of(place);
  bool superseded = false;
  places_[hash % kParts].find(static_cast<uint32_t>(hash / kParts), [&](uint32_t number) {
    const Entry& other = entries_[number];
    superseded = &other != &entry && other.standing.object.use_count() > 1 && place_of(other.name) == place;
    return superseded;
  });
  return superseded;
}

void LimiterTable::count_detached(const Entry& entry, conf::Instant now, Detached* counts) const {
  if (!is_detached(entry.standing.object) || is_superseded(entry)) return;
  const Standing::State state = entry.standing.object->state_at(now);
  if (state == Standing::State::kOpen) return;
  const conf::Instant end = entry.standing.object->runs_out();
  if (end > now) counts->first_end = std::min(counts->first_end, end);
  ++(state == Standing::State::kBlocked   ? counts->blocked
     : state == Standing::State::kProbing ? counts->probing
                                          : counts->ramp);
}

LimiterTable::Detached LimiterTable::detached(conf::Instant now) const {
  if (entries_.size() > kFew) return detached_;
  Detached counts;
  for (const Entry& entry : entries_) count_detached(entry, now, &counts);
  return counts;
}

bool LimiterTable::visit_detached(size_t* next, size_t most, const UseDetached& use) {
  for (size_t i = 0; i < most && *next < entries_.size(); ++i, ++*next) {
    const Entry& entry = entries_[*next];
    if (is_detached(entry.standing.object))
      use('S' + entry.name, *entry.standing.object, is_superseded(entry));
  }
  return *next < entries_.size();
}

}  // namespace mx
