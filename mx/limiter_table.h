// The counters of all paths, by name, shared by the paths that a rule counts together. Names are text, so
// that they can be kept on disk and shown: "RULE|SITE|SOURCE|ADDRESS" with "*" for what is counted together.
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mx/moment.h"
#include "mx/path_limits.h"
#include "mx/standing.h"
#include "mx/traffic.h"

namespace mx {

struct CounterNames {
  std::string rule;    // "" : no rule
  std::string site;    // of the path; ignored when the limits say one_site
  std::string source;  // name
};

class LimiterTable {
 public:
  // Found or made, with these limits from now on. Shared: it lives as long as somebody holds it, and after
  // that until sweep() finds nothing worth remembering in it.
  std::shared_ptr<Traffic> traffic(const CounterNames& names, std::string_view address,
                                   const PathLimits& limits, const Moment& moment);
  std::shared_ptr<Standing> standing(const CounterNames& names, const PathLimits& limits,
                                     const Moment& moment);

  // Key and value of all counters that changed since the last call; an empty value: forget the key.
  // O(changed)
  std::vector<std::pair<std::string, std::string>> take_changes(const Moment& moment);
  // At start, before anything is made: values come to life when their path is asked for (or at once, when
  // they must be shown: a block). False: not a key or a value of this table.
  bool restore(std::string_view key, std::string_view value, const Moment& moment);
  // The relay ended without a last save: whatever is made from now on counts as having used its limits from
  // `begin` to `end`. Forgotten an hour (a day for ladders) after `end`.
  void assume_gap(conf::WallTime begin, conf::WallTime end);

  void sweep(const Moment& moment);
  size_t size() const;
  void for_each_traffic(const std::function<void(const std::string& key, Traffic&)>& use);
  void for_each_standing(const std::function<void(const std::string& key, Standing&)>& use);

 private:
  // fields are the implementer's
};

}  // namespace mx
