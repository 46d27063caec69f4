// What is counted of a path, perhaps together with other paths: the scope of its rule says with which.
// Written by the SiteTable; plain data. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "mx/limits/standing.h"
#include "mx/limits/traffic.h"

namespace relay::queue {

struct PathCounters {
  using ByName = std::map<std::string, std::shared_ptr<mx::Traffic>, std::less<>>;

  std::shared_ptr<mx::Standing> standing;
  // By remote address when the scope of the rule is "path", else one under "".
  ByName traffic;
  // By host, where the receiver counts more at it than this site (SiteTable::counts_hosts()), besides.
  ByName hosts;
  uint32_t version = 0;  // another number when a reload may have given it other counters than these

  // Null: nothing is counted there.
  static mx::Traffic* find(const ByName& all, std::string_view name) {
    const auto counted = all.find(name);
    return counted == all.end() ? nullptr : counted->second.get();
  }
  // Of all addresses; null where each has its own.
  mx::Traffic* whole() const { return find(traffic, ""); }
};

}  // namespace relay::queue
