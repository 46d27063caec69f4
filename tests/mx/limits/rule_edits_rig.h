// Rules are edited, and counters asked for under those that decide now.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mx/limits/limiter_table.h"

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using conf::Duration;
using conf::Instant;
using conf::RuleScope;

inline constexpr Instant kStart{Duration(5'000'000'123)};
inline constexpr conf::WallTime kWall{Duration(1'700'000'000'000'000)};

// A rule as these tests know it; the first in the list that has the name decides for who asks for it.
struct Edited {
  std::string name;
  RuleScope scope = RuleScope::kSource;
  bool one_site = false;
};

class RuleEdits : public testing::Test {
 protected:
  RuleEdits() {
    limits.messages_per_hour = 1200;
    limits.max_connections = 5;
    make_table();
  }
  void make_table() {
    table = std::make_unique<LimiterTable>();
    table->is_current = [this](const CounterNames& names) {
      const auto rule = std::ranges::find(rules, names.rule, &Edited::name);
      if (rule == rules.end() || (names.source == "*") != (rule->scope == RuleScope::kPool)) return false;
      return names.site != "*" || rule->one_site || rule->scope == RuleScope::kPath;
    };
  }
  // As a reload does.
  void edit(std::vector<Edited> to) {
    rules = std::move(to);
    tell();
  }
  void tell() {
    std::vector<RuleChanges::Rule> told;
    for (const Edited& rule : rules)
      told.push_back({rule.name, 1, static_cast<uint64_t>(rule.scope) * 2 + (rule.one_site ? 1 : 0), {}});
    table->rules_are(std::move(told));
  }
  void restart() {
    save();
    held.clear();
    make_table();
    tell();
    for (const auto& [key, value] : disk) ASSERT_TRUE(table->restore(key, value, now()));
  }
  void save() {
    while (table->changed()) {
      for (auto& [key, value] : table->take_changes(now())) {
        if (value.empty()) {
          disk.erase(key);
        } else {
          disk[key] = value;
        }
      }
    }
  }
  Moment now() const { return {kStart + time, kWall + time + wall_step}; }
  PathLimits limits_of(const std::string& rule) {
    PathLimits result = limits;
    const auto found = std::ranges::find(rules, rule, &Edited::name);
    if (found == rules.end()) return result;
    result.scope = found->scope;
    result.one_site = found->one_site;
    return result;
  }
  std::shared_ptr<Traffic> traffic(const std::string& rule, const std::string& site = "a|",
                                   const std::string& source = "s", const std::string& address = "1") {
    const PathLimits all = limits_of(rule);
    Whereabouts where{site, {source}, {address}};
    if (all.scope == RuleScope::kPool) where.sources = sources;
    const bool by_address = all.scope == RuleScope::kPath;
    held.push_back(table->traffic({rule, site, source}, by_address ? address : "*", all, now(), &where));
    gather();
    return held.back();
  }
  std::shared_ptr<Standing> standing(const std::string& rule, const std::string& site = "a|",
                                     const std::string& source = "s") {
    const PathLimits all = limits_of(rule);
    Whereabouts where{site, {source}, {}};
    if (all.scope == RuleScope::kPool) where.sources = sources;
    auto found = table->standing({rule, site, source}, all, now(), &where);
    gather();
    return found;
  }
  void gather() {
    while (table->is_gathering()) (void)table->gather(now());
  }
  void charge(const std::shared_ptr<Traffic>& counters, int count) {
    for (int i = 0; i < count; ++i) counters->charge(now().now);
  }
  uint32_t used(const std::shared_ptr<Traffic>& counters) { return counters->used_in_hour(now().now); }

  PathLimits limits;
  std::vector<Edited> rules;
  std::vector<std::string> sources = {"s", "t"};
  std::unique_ptr<LimiterTable> table;
  std::vector<std::shared_ptr<Traffic>> held;
  std::map<std::string, std::string> disk;
  Duration time{0};
  Duration wall_step{0};
};

}  // namespace mx
