// The counters of all paths, by name (counter_key.h), shared by the paths that a rule counts together. What
// changes is written to disk by whoever owns the table, and comes back through restore(). Built for a million
// sites: no call but for_each_*() and the end takes longer than milliseconds. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "mx/limits/change_mark.h"
#include "mx/limits/counter_key.h"
#include "mx/limits/moment.h"
#include "mx/limits/number_index.h"
#include "mx/limits/rule_changes.h"
#include "mx/limits/standing.h"
#include "mx/limits/table_entry.h"
#include "mx/limits/traffic.h"
#include "mx/rules/path_limits.h"

namespace mx {

class LimiterTable {
 public:
  static constexpr size_t kSweep = 2048;   // entries that one sweep() looks at
  static constexpr size_t kGather = 4096;  // about a millisecond of gather()

  LimiterTable() = default;
  LimiterTable(const LimiterTable&) = delete;
  LimiterTable& operator=(const LimiterTable&) = delete;
  ~LimiterTable();

  // Found or made, with these limits from now on. Shared: it lives as long as somebody holds it, and after
  // that until sweep() finds nothing worth remembering in it. What was counted `where` before the rules
  // changed is taken over; without that, what the names say.
  std::shared_ptr<Traffic> traffic(const CounterNames& names, std::string_view address,
                                   const PathLimits& limits, const Moment& moment,
                                   const Whereabouts* where = nullptr);
  std::shared_ptr<Standing> standing(const CounterNames& names, const PathLimits& limits,
                                     const Moment& moment, const Whereabouts* where = nullptr);
  // These rules decide from now on, in this order: told at the begin, and with each reload before the rest.
  // True: something may belong to other counters than before.
  bool rules_are(std::vector<RuleChanges::Rule> rules);
  const RuleChanges& rules() const { return rules_; }
  // What is counted for many sites (one_site) takes over from all of them, some in each call. Until none is
  // left it counts too little: nothing may be sent by it. False: none is left.
  bool gather(const Moment& moment);
  bool is_gathering() const { return !gathering_.empty(); }

  // Key and value of all counters that changed since the last call; an empty value: forget the key. `most`
  // bounds one call; what had changed when the first of several was made has been given when all_taken().
  std::vector<std::pair<std::string, std::string>> take_changes(const Moment& moment, size_t most = SIZE_MAX);
  bool all_taken() const { return round_.empty(); }
  // What the last take_changes() gave did not reach the disk: it comes again.
  void not_written();
  bool changed() const {
    return !changes_.empty() || !round_.empty() || !forgotten_.empty() || gaps_changed_ || rules_changed_;
  }
  // Whether the rule of these names still decides there, and counts just that together.
  std::function<bool(const CounterNames& names)> is_current = [](const CounterNames&) { return true; };
  // At start, before anything is made: values come to life when their path is asked for (or at once, when
  // they must be shown: a block, the probes, the ramp), or are dropped when they are stale. False: not ours.
  bool restore(std::string_view key, std::string_view value, const Moment& moment);
  // The relay ended without a last save: whatever comes to life from now on counts as having used its limits
  // from `begin` to `end`. Kept on disk with the rest; forgotten a day after `end`.
  void assume_gap(conf::WallTime begin, conf::WallTime end);
  // Looks at the next kSweep entries; once a second goes through a million in eight minutes.
  void sweep(const Moment& moment);
  size_t size() const { return entries_.size() - free_.size(); }
  // Those that are not open and that no path holds, among `most` counters from `*next` on (0 at first).
  // False: the last were seen. Superseded: a path uses what is known there under the rule that decides now.
  using UseDetached = std::function<void(const std::string& key, Standing&, bool superseded)>;
  bool visit_detached(size_t* next, size_t most, const UseDetached& use);
  struct Detached {
    uint64_t blocked = 0, probing = 0, ramp = 0;
    conf::Instant first_end = conf::kNever;  // of a block or a ramp that is not over
  };
  // None superseded; of a large table as the last round of sweep() found.
  Detached detached(conf::Instant now) const;

 private:
  template <typename T>
  using Counters = TableCounters<T>;
  using Entry = TableEntry;
  // The index is split, so that no insertion moves more than a small part of it.
  static constexpr size_t kParts = 1024;
  // In a list of changes: twice the number of the entry, and 1 more for its standing.
  static constexpr uint32_t kOfStanding = 1;
  template <typename T>
  static constexpr char kKind = std::is_same_v<T, Traffic> ? 'T' : 'S';
  uint32_t find(std::string_view name) const;  // NumberIndex::kNone: there is none
  uint32_t find_or_make(std::string_view name);
  std::vector<uint32_t> found_at(uint32_t number, const CounterKey& key, const Whereabouts& where) const;
  bool may_be_of(const CounterKey& other, const CounterKey& key, const Whereabouts& where) const;
  bool is_part_of(const CounterKey& other, const CounterKey& key) const;
  template <typename T>
  size_t gather_from(Counters<T> Entry::*slot, uint32_t from, const Gathering& of, const CounterKey& key,
                     const Moment& moment);
  template <typename T>
  void wake(Counters<T> Entry::*slot, uint32_t number, const PathLimits& limits, const Moment& moment);
  template <typename T>
  void inherit(Counters<T> Entry::*slot, uint32_t from, uint32_t to, const PathLimits& limits,
               const std::vector<uint64_t>& kin, const Moment& moment);
  template <typename T>
  void forget(Counters<T> Entry::*slot, Entry* entry);
  template <typename T>
  void forget_stale(Counters<T> Entry::*slot, Entry* entry, const Moment& moment);
  void erase_stale(uint32_t number, const Moment& moment);
  bool is_superseded(const Entry& entry) const;
  void count_detached(const Entry& entry, conf::Instant now, Detached* counts) const;
  template <typename T>
  void attach(T* object, uint32_t number) {
    object->change().attach(&changes_, number * 2 + (std::is_same_v<T, Standing> ? kOfStanding : 0));
  }
  template <typename T>
  std::shared_ptr<T> use(Counters<T> Entry::*slot, const std::string& key, const Whereabouts& where,
                         const PathLimits& limits, const Moment& moment);
  template <typename T>
  void revive(T* object, std::string_view saved, const Moment& moment) const;
  template <typename T>
  void save(Counters<T> Entry::*slot, uint32_t number, const Moment& moment,
            std::vector<std::pair<std::string, std::string>>* out);
  template <typename T>
  void save_again(Counters<T>* counters, uint32_t change);
  std::string save_gaps(const Moment& moment);
  bool restore_gaps(std::string_view value, const Moment& moment);
  std::deque<Entry> entries_;
  std::vector<uint32_t> free_;
  std::array<NumberIndex, kParts> parts_;
  std::array<NumberIndex, kParts> places_;  // by name without the rule
  ChangeList changes_;
  ChangeList round_;  // changed before the first of several take_changes()
  ChangeList taken_;  // by the last take_changes()
  std::vector<std::string> forgotten_, taken_forgotten_;
  std::vector<CounterGap> gaps_;
  RuleChanges rules_;
  std::vector<Gathering> gathering_;
  bool gaps_changed_ = false, taken_gaps_ = false, rules_changed_ = false, taken_rules_ = false;
  size_t swept_ = 0, gathered_ = 0;  // the next entry to look at
  Detached detached_, detached_so_far_;
};

}  // namespace mx
