// One line of the LimiterTable: the counters of one name, living or as they were saved.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mx/limits/counter_key.h"
#include "mx/limits/counter_value.h"

namespace mx {

struct CounterEstate {
  Heirs heirs;
};

template <typename T>
struct TableCounters {
  std::shared_ptr<T> object;
  // As read from disk, while nobody has asked for it. A standing beside it is there to be shown only: its
  // limits are not known yet.
  std::unique_ptr<std::string> saved;
  bool stored = false;  // its key is on disk
  bool resave = false;  // what is on disk names other heirs
  uint64_t id = 0;      // of these counters, whatever they are called
  uint32_t made = 0;    // in this generation of the rules
  uint32_t looked = 0;  // for what others know, the last time
  std::unique_ptr<CounterEstate> estate;

  bool empty() const { return object == nullptr && saved == nullptr; }
  CounterHeader header() const {
    CounterHeader header;
    header.id = id;
    header.made = made;
    if (estate != nullptr) header.heirs = estate->heirs;
    return header;
  }
};

// Both kinds of a site mostly have the same name: the key without its first letter.
struct TableEntry {
  std::string name;  // empty: free
  TableCounters<Traffic> traffic;
  TableCounters<Standing> standing;
};

// Counters of many sites, to which what was counted site by site is being added.
struct Gathering {
  uint32_t number = 0;  // of its entry, which has this name
  std::string name;
  CounterKey key;
  PathLimits limits;
  std::vector<uint64_t> kin;  // ids of the counters that it took over from already
  bool of_standing = false;
};

struct CounterGap {  // nobody knows what was counted meanwhile
  conf::WallTime begin{}, end{};
};

inline size_t hash_of(std::string_view name) { return std::hash<std::string_view>()(name); }
// Of "|RULE|SITE|SOURCE...": what follows the rule.
inline std::string_view place_of(std::string_view name) {
  const size_t bar = name.find('|', 1);
  return bar == std::string_view::npos ? std::string_view() : name.substr(bar);
}

}  // namespace mx
