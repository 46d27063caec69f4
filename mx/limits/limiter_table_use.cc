// How counters are found, and what they take over from those that counted before the rules were edited.
//
// Each set of counters knows what was charged to itself. One that is asked for takes over from every other
// that may have counted the same mail (the same site, source or address, under whatever rule and scope), once
// for each change of the rules that may have brought that mail to it: what those charged themselves since
// they gave last. So an edit that is undone counts nothing twice, and nothing is lost.
#include <algorithm>

#include "conf/vocab/address.h"
#include "mx/limits/limiter_table.h"

namespace mx {

namespace {

constexpr std::string_view kOfMany = "*";

// The names of hosts of "a:25,b|destination".
std::vector<std::string> hosts_of(std::string_view site) {
  std::vector<std::string> hosts;
  std::string_view label = site.substr(0, site.rfind('|'));
  while (!label.empty()) {
    const size_t comma = std::min(label.find(','), label.size());
    hosts.emplace_back(label.substr(0, std::min(label.find(':'), comma)));
    label.remove_prefix(std::min(comma + 1, label.size()));
  }
  return hosts;
}

void hand_over(const std::shared_ptr<Traffic>& from, const std::shared_ptr<Traffic>& to, bool /*whole*/) {
  from->cut();
  from->lend(to);
}
void hand_over(const std::shared_ptr<Standing>& from, const std::shared_ptr<Standing>& /*to*/, bool whole) {
  from->cut();
  if (whole) from->hand_on(true);
}

struct Handing {
  bool by_heir = false;    // it took over from the same counters before
  bool passed_on = false;  // another has all this already, and it is taken over from, too
};
void take(Traffic* to, Traffic* from, Handing /*how*/, conf::WallTime since, const Moment& moment) {
  to->inherit(*from, since, moment);
}
// What the one in between has lifted, by time or by an order, does not come back.
void take(Standing* to, Standing* from, Handing how, conf::WallTime since, const Moment& moment) {
  if (how.passed_on) {
    to->inherit_charges(*from, since, moment);
  } else {
    to->inherit(from, how.by_heir, since, moment);
  }
}
bool is_handed_on(const Traffic& /*counters*/) { return false; }
bool is_handed_on(const Standing& counters) { return counters.handed_on(); }
void used_again(Traffic* /*counters*/) {}
void used_again(Standing* counters) { counters->hand_on(false); }

bool has_heir(const CounterEstate* estate, uint64_t id) {
  return estate != nullptr && estate->heirs.contains(id);
}
// In which generation of the rules; 0: never.
uint32_t given_to(const CounterEstate* estate, uint64_t id) {
  if (estate == nullptr) return 0;
  const auto heir = estate->heirs.find(id);
  return heir == estate->heirs.end() ? 0 : heir->second.generation;
}
// Mail may have come from there in this generation: whether what was counted by then is still to be given.
// What was made since has only what was its own matter.
template <typename T>
bool has_to_give(const TableCounters<T>& old, uint64_t to, uint32_t generation) {
  return generation > old.made && generation > given_to(old.estate.get(), to);
}
// Whether the heir that was given something last, or as late as any other, is one of these.
bool is_last_heir_among(const CounterEstate& estate, const std::vector<uint64_t>& ids) {
  uint32_t latest = 0;
  for (const auto& [id, heir] : estate.heirs) latest = std::max(latest, heir.generation);
  return std::ranges::any_of(ids, [&](uint64_t id) {
    const auto heir = estate.heirs.find(id);
    return heir != estate.heirs.end() && heir->second.generation == latest;
  });
}

}  // namespace

bool LimiterTable::rules_are(std::vector<RuleChanges::Rule> rules) {
  const bool first = rules_.empty();  // the next start has to know them
  const bool changed = rules_.set(std::move(rules));
  rules_changed_ = rules_changed_ || changed || first;
  return changed;
}

// A site of many says not which: it is one of this site when its rule could be about it. An address is one
// receiver.
bool LimiterTable::may_be_of(const CounterKey& other, const CounterKey& key, const Whereabouts& where) const {
  if (other.names.site != kOfMany || other.address != kOfMany) return true;
  if (other.names.rule == key.names.rule) return true;
  return rules_.may_match(other.names.rule, hosts_of(where.site));
}

// Other counters that may have counted the same mail.
std::vector<uint32_t> LimiterTable::found_at(uint32_t number, const CounterKey& key,
                                             const Whereabouts& where) const {
  std::vector<uint32_t> found;
  for (const std::string& place : places_of(where)) {
    const size_t hash = hash_of(place);
    places_[hash % kParts].find(static_cast<uint32_t>(hash / kParts), [&](uint32_t other) {
      if (other == number || place_of(entries_[other].name) != place) return false;
      CounterKey parsed;
      if (parse_key(key.kind + entries_[other].name, &parsed) && may_be_of(parsed, key, where))
        found.push_back(other);
      return false;  // look at all
    });
  }
  return found;
}

// There, with these limits.
template <typename T>
void LimiterTable::wake(Counters<T> Entry::*slot, uint32_t number, const PathLimits& limits,
                        const Moment& moment) {
  Counters<T>& counters = entries_[number].*slot;
  std::shared_ptr<T>& object = counters.object;
  if (object != nullptr && counters.saved == nullptr) return object->set(limits);
  const std::unique_ptr<std::string> saved = std::move(counters.saved);
  std::string value = saved == nullptr ? std::string() : *saved;
  // A standing that was there to be shown may have got an operator's order.
  const bool changed = (object != nullptr && object->dirty()) || std::exchange(counters.resave, false);
  if (object != nullptr && object->dirty()) value = value_of(object.get(), counters.header(), moment);
  if (object != nullptr) object->change().attach(nullptr, 0);
  object = std::make_shared<T>(limits);
  revive(object.get(), value, moment);
  if (counters.estate != nullptr && !counters.estate->heirs.empty()) object->cut();
  if (changed) object->change().mark();
  attach(object.get(), number);
}

template <typename T>
void LimiterTable::inherit(Counters<T> Entry::*slot, uint32_t from, uint32_t to, const PathLimits& limits,
                           const std::vector<uint64_t>& kin, const Moment& moment) {
  Counters<T>& old = entries_[from].*slot;
  Counters<T>& fresh = entries_[to].*slot;
  CounterKey old_key, key;
  if (!parse_key(kKind<T> + entries_[from].name, &old_key) || !parse_key(kKind<T> + entries_[to].name, &key))
    return;
  const uint32_t generation = rules_.changed(old_key.names.rule, key.names.rule);
  if (!has_to_give(old, fresh.id, generation)) return;
  if (old.estate == nullptr) old.estate = std::make_unique<CounterEstate>();
  Heir* heir = &old.estate->heirs[fresh.id];
  const bool lives = old.object != nullptr && (old.saved == nullptr || old.object->dirty());
  std::string value = old.saved == nullptr ? std::string() : *old.saved;
  if (lives) value = value_of(old.object.get(), {}, moment);
  if (!value.empty()) {
    T copy(limits);
    revive(&copy, value, moment);
    const conf::WallTime since = heir->at == conf::Instant::min() ? heir->through : moment.to_wall(heir->at);
    const bool passed_on =
        is_handed_on(copy) && !is_current(old_key.names) && is_last_heir_among(*old.estate, kin);
    take(fresh.object.get(), &copy, {has_heir(fresh.estate.get(), old.id), passed_on}, since, moment);
  }
  heir->generation = generation;
  heir->through = moment.wall;
  heir->at = moment.now;
  if (lives) {
    old.object->change().mark();
    hand_over(old.object, fresh.object, !is_current(old_key.names));
  } else if (old.saved != nullptr && !std::exchange(old.resave, true)) {
    changes_.push_back(from * 2 + (std::is_same_v<T, Standing> ? kOfStanding : 0));
  }
}

template <typename T>
std::shared_ptr<T> LimiterTable::use(Counters<T> Entry::*slot, const std::string& key,
                                     const Whereabouts& where, const PathLimits& limits,
                                     const Moment& moment) {
  const uint32_t number = find_or_make(std::string_view(key).substr(1));
  const bool edited = rules_.generation() > RuleChanges::kFirst;
  Counters<T>& counters = entries_[number].*slot;
  const bool looked = std::exchange(counters.looked, rules_.generation()) == rules_.generation();
  CounterKey parsed;
  std::vector<uint32_t> others;
  if (parse_key(key, &parsed) && edited) others = found_at(number, parsed, where);
  std::erase_if(others, [&](uint32_t other) { return (entries_[other].*slot).empty(); });
  if (counters.empty()) {
    counters = {};
    counters.looked = rules_.generation();
    counters.made = rules_.generation();
    counters.id = hash_that_lasts(key + '|' + std::to_string(conf::unix_micros(moment.wall)) + '|' +
                                  std::to_string(rules_.generation()));
  }
  wake(slot, number, limits, moment);
  std::vector<uint64_t> kin;  // what gives something now
  for (const uint32_t other : others) {
    const Counters<T>& old = entries_[other].*slot;
    CounterKey old_key;
    if (!parse_key(kKind<T> + entries_[other].name, &old_key)) continue;
    if (has_to_give(old, counters.id, rules_.changed(old_key.names.rule, parsed.names.rule)))
      kin.push_back(old.id);
  }
  for (const uint32_t other : others) inherit(slot, other, number, limits, kin, moment);
  if (is_handed_on(*counters.object) && is_current(parsed.names)) used_again(counters.object.get());
  const bool of_sites = parsed.names.site == kOfMany && parsed.address == kOfMany;
  if (!looked && of_sites && edited) {
    gathering_.push_back(
        {number, entries_[number].name, parsed, limits, std::move(kin), std::is_same_v<T, Standing>});
    gathered_ = 0;
  }
  return counters.object;
}

// Whether what is known there was, or may have been, counted for a site of those that are counted together.
bool LimiterTable::is_part_of(const CounterKey& other, const CounterKey& key) const {
  const bool of_many = key.names.source == kOfMany || other.names.source == kOfMany;
  if (other.names.source != key.names.source && !of_many) return false;
  if (other.names.rule == key.names.rule) return true;
  if (other.names.site == kOfMany) return rules_.may_meet(other.names.rule, key.names.rule);
  return rules_.may_match(key.names.rule, hosts_of(other.names.site));
}

// Its part of what `of` counts together. Returns the work that it was.
template <typename T>
size_t LimiterTable::gather_from(Counters<T> Entry::*slot, uint32_t from, const Gathering& of,
                                 const CounterKey& key, const Moment& moment) {
  constexpr size_t kLook = 1, kCopy = 16;
  const Counters<T>& to = entries_[of.number].*slot;
  const bool is_there = entries_[of.number].name == of.name && to.object != nullptr && to.saved == nullptr;
  if (!is_there || from == of.number || (entries_[from].*slot).empty() || !is_part_of(key, of.key))
    return kLook;
  inherit(slot, from, of.number, of.limits, of.kin, moment);
  return kCopy;
}

bool LimiterTable::gather(const Moment& moment) {
  for (size_t budget = kGather; budget > 0 && !gathering_.empty() && gathered_ < entries_.size();) {
    const auto from = static_cast<uint32_t>(gathered_++);
    size_t work = 1;
    CounterKey key;
    if (parse_key('T' + entries_[from].name, &key)) {
      for (const Gathering& of : gathering_) {
        work += of.of_standing ? gather_from(&Entry::standing, from, of, key, moment)
                               : gather_from(&Entry::traffic, from, of, key, moment);
      }
    }
    budget -= std::min(budget, work);
  }
  if (gathered_ < entries_.size()) return is_gathering();
  gathering_.clear();
  return false;
}

namespace {

Whereabouts known_from(const CounterNames& names, std::string_view address) {
  Whereabouts where;
  where.site = names.site;
  where.sources = {names.source};
  if (address != kOfMany) where.addresses.emplace_back(address);
  return where;
}

}  // namespace

std::shared_ptr<Traffic> LimiterTable::traffic(const CounterNames& names, std::string_view address,
                                               const PathLimits& limits, const Moment& moment,
                                               const Whereabouts* where) {
  return use(&Entry::traffic, traffic_key(names, address, limits),
             where == nullptr ? known_from(names, address) : *where, limits, moment);
}

std::shared_ptr<Standing> LimiterTable::standing(const CounterNames& names, const PathLimits& limits,
                                                 const Moment& moment, const Whereabouts* where) {
  return use(&Entry::standing, standing_key(names, limits),
             where == nullptr ? known_from(names, kOfMany) : *where, limits, moment);
}

}  // namespace mx
