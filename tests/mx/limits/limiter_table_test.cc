#include "mx/limits/limiter_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "conf/vocab/random.h"
#include "mx/limits/lease.h"
#include "tests/mx/limits/stories.h"

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::Instant;

constexpr Instant kStart{Duration(5'000'000'123)};
constexpr conf::WallTime kWall{Duration(1'700'000'000'000'000)};
constexpr Moment kNow{kStart, kWall};

using Disk = std::map<std::string, std::string>;

Moment after(Duration passed) { return {kStart + passed, kWall + passed}; }

PathLimits limits_of(conf::RuleScope scope, uint32_t per_hour = 1200) {
  PathLimits limits;
  limits.scope = scope;
  limits.messages_per_hour = per_hour;
  return limits;
}

void write(LimiterTable* table, Disk* disk, const Moment& moment) {
  for (auto& [key, value] : table->take_changes(moment)) {
    if (value.empty()) {
      disk->erase(key);
    } else {
      (*disk)[key] = value;
    }
  }
}

void read(const Disk& disk, LimiterTable* table, const Moment& moment) {
  for (const auto& [key, value] : disk) ASSERT_TRUE(table->restore(key, value, moment)) << key;
}

TEST(LimiterTable, TheScopeSaysWhoSharesCounters) {
  LimiterTable table;
  const auto of = [&table](conf::RuleScope scope, const char* site, const char* source, const char* address,
                           bool one_site = false) {
    PathLimits limits = limits_of(scope);
    limits.one_site = one_site;
    return table.traffic({"r", site, source}, address, limits, kNow).get();
  };
  using conf::RuleScope;
  EXPECT_EQ(of(RuleScope::kPath, "a", "s1", "192.0.2.1"), of(RuleScope::kPath, "a", "s1", "192.0.2.1"));
  EXPECT_NE(of(RuleScope::kPath, "a", "s1", "192.0.2.1"), of(RuleScope::kPath, "a", "s1", "192.0.2.2"));
  EXPECT_EQ(of(RuleScope::kPath, "a", "s1", "192.0.2.1"), of(RuleScope::kPath, "a,b", "s1", "192.0.2.1"))
      << "an address is one receiver, whatever site leads there";
  const CounterNames host = host_names({"r", "a,b|", "s1"}, "a");
  EXPECT_EQ(of(RuleScope::kSource, "a|", "s1", ""),
            of(RuleScope::kSource, host.site.c_str(), host.source.c_str(), ""))
      << "a host is the site that is this host alone";
  EXPECT_EQ(of(RuleScope::kSource, "a", "s1", "192.0.2.1"), of(RuleScope::kSource, "a", "s1", "192.0.2.2"));
  EXPECT_NE(of(RuleScope::kSource, "a", "s1", ""), of(RuleScope::kSource, "a", "s2", ""));
  EXPECT_EQ(of(RuleScope::kPool, "a", "s1", ""), of(RuleScope::kPool, "a", "s2", ""));
  EXPECT_NE(of(RuleScope::kPool, "a", "s1", ""), of(RuleScope::kPool, "b", "s1", ""));
  EXPECT_EQ(of(RuleScope::kPool, "a", "s1", "", true), of(RuleScope::kPool, "b", "s2", "", true));
  EXPECT_NE(of(RuleScope::kSource, "*", "s1", ""), of(RuleScope::kSource, "a", "s1", "", true))
      << "a site of that name is not all sites";
  const PathLimits pool = limits_of(RuleScope::kPool), path = limits_of(RuleScope::kPath);
  EXPECT_EQ(table.standing({"r", "a", "s1"}, pool, kNow), table.standing({"r", "a", "s2"}, pool, kNow));
  EXPECT_NE(table.standing({"r", "a", "s1"}, path, kNow), table.standing({"r", "a", "s2"}, path, kNow));
}

TEST(LimiterTable, NoTwoNamesHaveTheSameKey) {
  conf::Random random(3);
  const std::string letters = "a|*%\n2";
  const auto word = [&] {
    std::string text;
    for (uint64_t left = random.below(4); left > 0; --left) text += letters[random.below(letters.size())];
    return text;
  };
  std::map<std::string, std::vector<std::string>> seen, seen_addresses;
  for (int i = 0; i < 20'000; ++i) {
    const std::vector<std::string> parts = {word(), word(), word()};
    const std::string address = word();
    const std::string key =
        traffic_key({parts[0], parts[1], parts[2]}, address, limits_of(conf::RuleScope::kSource));
    ASSERT_EQ(seen.emplace(key, parts).first->second, parts) << key;
    const std::vector<std::string> of_address = {parts[0], parts[2], address};
    const std::string by_address =
        traffic_key({parts[0], parts[1], parts[2]}, address, limits_of(conf::RuleScope::kPath));
    ASSERT_EQ(seen_addresses.emplace(by_address, of_address).first->second, of_address) << by_address;
    CounterKey parsed;
    ASSERT_TRUE(parse_key(key, &parsed)) << key;
    ASSERT_EQ((std::vector<std::string>{parsed.names.rule, parsed.names.site, parsed.names.source}), parts);
    ASSERT_TRUE(parse_key(by_address, &parsed)) << by_address;
    ASSERT_EQ(parsed.address, address);
  }
  CounterKey parsed;
  for (const char* bad :
       {"", "T", "X|a|b|c|d", "T|a|b|c", "T|a|b|c|d|e", "T|%4|b|c|d", "T|%zz|b|c|d", "H", "G"})
    EXPECT_FALSE(parse_key(bad, &parsed)) << bad;
}

TEST(LimiterTable, GivesWhatChangedOnceAndAgainWhenItWasNotWritten) {
  LimiterTable table;
  const PathLimits limits = limits_of(conf::RuleScope::kSource);
  std::vector<std::shared_ptr<Traffic>> all;
  for (int i = 0; i < 100; ++i) all.push_back(table.traffic({"r", std::to_string(i), "s"}, "", limits, kNow));
  EXPECT_FALSE(table.changed());
  EXPECT_TRUE(table.take_changes(kNow).empty());
  for (const size_t i : {7u, 70u}) {
    all[i]->charge(kStart);
    all[i]->charge(kStart);
  }
  EXPECT_TRUE(table.changed());
  std::set<std::string> keys;
  for (const auto& [key, value] : table.take_changes(kNow)) {
    EXPECT_FALSE(value.empty());
    keys.insert(key);
  }
  EXPECT_EQ(keys, (std::set<std::string>{"T|r|7|s|*", "T|r|70|s|*"}));
  EXPECT_FALSE(table.changed());
  table.not_written();
  EXPECT_TRUE(table.changed());
  EXPECT_EQ(table.take_changes(kNow).size(), 2u);
  EXPECT_TRUE(table.take_changes(kNow).empty());
}

TEST(LimiterTable, NewLimitsHoldForAllWhoShare) {
  LimiterTable table;
  PathLimits limits = limits_of(conf::RuleScope::kSource, 12);
  const auto first = table.traffic({"r", "a", "s"}, "", limits, kNow);
  first->charge(kStart);
  EXPECT_FALSE(first->may_send(kStart).yes);
  limits.messages_per_hour = 1200;
  EXPECT_EQ(table.traffic({"r", "a", "s"}, "", limits, kNow), first);
  EXPECT_TRUE(first->may_send(kStart).yes);
  EXPECT_EQ(first->used_in_hour(kStart), 1u) << "what was counted stays counted";
}

TEST(LimiterTable, CountersOutliveTheProcess) {
  Disk disk;
  const PathLimits limits = limits_of(conf::RuleScope::kSource, 12);
  {
    LimiterTable table;
    table.traffic({"r", "a", "s"}, "", limits, kNow)->charge(kStart);
    write(&table, &disk, kNow);
  }
  LimiterTable table;
  const Moment moment{Instant(9s), kWall + 60s};
  read(disk, &table, moment);
  EXPECT_EQ(table.size(), 1u);
  const auto traffic = table.traffic({"r", "a", "s"}, "", limits, moment);
  EXPECT_EQ(traffic->used_in_hour(moment.now), 1u);
  EXPECT_FALSE(traffic->may_send(moment.now).yes);
  EXPECT_FALSE(table.changed());
}

TEST(LimiterTable, ForgetsWhatNobodyHoldsAndNothingIsIn) {
  LimiterTable table;
  Disk disk;
  const PathLimits limits = limits_of(conf::RuleScope::kSource);
  auto held = table.traffic({"r", "held", "s"}, "", limits, kNow);
  table.traffic({"r", "loose", "s"}, "", limits, kNow)->charge(kStart);
  table.traffic({"r", "empty", "s"}, "", limits, kNow);
  write(&table, &disk, kNow);
  EXPECT_EQ(disk.size(), 1u);
  table.sweep(kNow);
  EXPECT_EQ(table.size(), 2u) << "what was never used goes at once";
  table.sweep(after(2h));
  EXPECT_EQ(table.size(), 1u);
  write(&table, &disk, after(2h));
  EXPECT_TRUE(disk.empty()) << "also on disk";
  held.reset();
  table.sweep(after(2h));
  EXPECT_EQ(table.size(), 0u);
  table.traffic({"r", "again", "s"}, "", limits, after(2h))->charge(after(2h).now);
  write(&table, &disk, after(2h));
  EXPECT_EQ(disk.size(), 1u) << "a place that was free is used again";
}

TEST(LimiterTable, AKeyThatIsForgottenAndMadeAgainIsWritten) {
  LimiterTable table;
  Disk disk;
  const PathLimits limits = limits_of(conf::RuleScope::kSource);
  table.traffic({"r", "a", "s"}, "", limits, kNow)->charge(kStart);
  write(&table, &disk, kNow);
  table.sweep(after(2h));
  table.traffic({"r", "a", "s"}, "", limits, after(2h))->charge(after(2h).now);
  write(&table, &disk, after(2h));
  EXPECT_EQ(disk.size(), 1u);
}

TEST(LimiterTable, DropsWhatIsStaleOnDisk) {
  Disk disk;
  const PathLimits limits = limits_of(conf::RuleScope::kSource);
  {
    LimiterTable table;
    table.traffic({"r", "a", "s"}, "", limits, kNow)->charge(kStart);
    write(&table, &disk, kNow);
  }
  LimiterTable late;
  read(disk, &late, after(2h));
  EXPECT_EQ(late.size(), 0u);
  Disk copy = disk;
  write(&late, &copy, after(2h));
  EXPECT_TRUE(copy.empty());
  LimiterTable waiting;
  read(disk, &waiting, after(1min));
  waiting.sweep(after(30min));
  EXPECT_EQ(waiting.size(), 1u);
  waiting.sweep(after(2h));
  EXPECT_EQ(waiting.size(), 0u) << "nobody asked for it";
  copy = disk;
  write(&waiting, &copy, after(2h));
  EXPECT_TRUE(copy.empty());
}

TEST(LimiterTable, ABlockIsShownBeforeAnybodyAsksAndTakesOrders) {
  Disk disk;
  PathLimits limits = limits_of(conf::RuleScope::kSource);
  limits.thresholds.push_back({});
  const auto save_a_block = [&] {
    LimiterTable table;
    table.standing({"r", "a", "s"}, limits, kNow)->block_by_rule(kStart + 5h, "it refuses us", kStart);
    write(&table, &disk, kNow);
  };
  save_a_block();
  const auto shown = [](LimiterTable* table) {
    std::map<std::string, Standing*> all;
    size_t next = 0;
    while (table->visit_detached(
        &next, 1,
        [&all](const std::string& key, Standing& standing, bool /*superseded*/) { all[key] = &standing; })) {
    }
    return all;
  };
  LimiterTable table;
  read(disk, &table, after(1h));
  ASSERT_EQ(shown(&table).size(), 1u);
  EXPECT_EQ(shown(&table)["S|r|a|s|*"]->state(), Standing::State::kBlocked);
  EXPECT_EQ(shown(&table)["S|r|a|s|*"]->blocked_until(), kStart + 5h);
  EXPECT_FALSE(table.changed());
  EXPECT_FALSE(table.standing({"r", "a", "s"}, limits, after(1h))->may_send(after(1h).now).yes);
  EXPECT_EQ(shown(&table).size(), 1u);

  LimiterTable ordered;
  read(disk, &ordered, after(1h));
  shown(&ordered).begin()->second->unblock(after(1h).now);
  EXPECT_TRUE(ordered.changed());
  EXPECT_TRUE(ordered.standing({"r", "a", "s"}, limits, after(1h))->may_send(after(1h).now).yes);
  write(&ordered, &disk, after(1h));
  LimiterTable later;
  read(disk, &later, after(2h));
  EXPECT_TRUE(later.standing({"r", "a", "s"}, limits, after(2h))->may_send(after(2h).now).yes);
}

TEST(LimiterTable, AGapCountsForWhateverComesToLifeUntilItIsForgotten) {
  const PathLimits limits = limits_of(conf::RuleScope::kSource, 1200);
  Disk disk;
  {
    LimiterTable table;
    table.traffic({"r", "old", "s"}, "", limits, kNow)->charge(kStart);
    write(&table, &disk, kNow);
  }
  {
    LimiterTable table;
    table.assume_gap(kWall, kWall + 10s);  // in any order with restore()
    read(disk, &table, after(20s));
    const auto old = table.traffic({"r", "old", "s"}, "", limits, after(20s));
    const auto fresh = table.traffic({"r", "new", "s"}, "", limits, after(20s));
    EXPECT_EQ(old->used_in_hour(after(20s).now), 100u);
    EXPECT_EQ(fresh->used_in_hour(after(20s).now), 100u);
    EXPECT_EQ(table.traffic({"r", "old", "s"}, "", limits, after(20s))->used_in_hour(after(20s).now), 100u)
        << "once";
    old->charge(after(5min + 20s).now);
    write(&table, &disk, after(5min + 20s));
  }
  LimiterTable table;  // an orderly end; the gap is still known
  read(disk, &table, after(6min));
  EXPECT_EQ(table.traffic({"r", "old", "s"}, "", limits, after(6min))->used_in_hour(after(6min).now), 101u)
      << "what was saved since has the gap in it";
  EXPECT_EQ(table.traffic({"r", "never", "s"}, "", limits, after(6min))->used_in_hour(after(6min).now), 100u);
  EXPECT_EQ(table.traffic({"r", "last", "s"}, "", limits, after(2h))->used_in_hour(after(2h).now), 0u);
  table.sweep(after(25h));
  write(&table, &disk, after(25h));
  EXPECT_FALSE(disk.contains("G"));
}

TEST(LimiterTable, NoBytesDoHarm) {
  LimiterTable source;
  Disk disk;
  PathLimits limits = limits_of(conf::RuleScope::kSource);
  limits.thresholds.push_back({});
  source.traffic({"r", "a", "s"}, "", limits, kNow)->charge(kStart);
  source.standing({"r", "a", "s"}, limits, kNow)->block_by_rule(kStart + 5h, "why", kStart);
  source.assume_gap(kWall - 10s, kWall);
  write(&source, &disk, kNow);
  ASSERT_EQ(disk.size(), 3u);
  conf::Random random(11);
  for (int i = 0; i < 5'000; ++i) {
    LimiterTable table;
    for (const auto& [good_key, good_value] : disk) {
      std::string key = good_key, value = good_value;
      std::string& bad = random.chance(0.2) ? key : value;
      if (random.chance(0.2)) bad.resize(random.below(bad.size()));
      for (uint64_t flips = random.below(4); flips > 0 && !bad.empty(); --flips)
        bad[random.below(bad.size())] = static_cast<char>(random.next());
      table.restore(key, value, after(10s));
    }
    const auto traffic = table.traffic({"r", "a", "s"}, "", limits, after(10s));
    const auto standing = table.standing({"r", "a", "s"}, limits, after(10s));
    traffic->may_send(after(10s).now);
    standing->may_send(after(10s).now);
    for (int day = 0; day < 3; ++day) table.sweep(after(24h * day));
    table.take_changes(after(72h));
  }
  LimiterTable table;
  EXPECT_FALSE(table.restore("H", Lease::record(kWall, false), kNow)) << "the lease is not a counter";
  EXPECT_FALSE(table.restore("T|a|b|c|d", "", kNow));
}

// Many sites in one table; the disk gets the changes of every other second, and now and then it does not.
TEST(LimiterTable, NoQuotaIsBrokenWhateverCrashes) {
  constexpr uint32_t kSites = 12;
  for (uint64_t seed = 0; seed < stories(60); ++seed) {
    conf::Random random(seed);
    PathLimits limits = limits_of(conf::RuleScope::kSource, static_cast<uint32_t>(1 + random.below(400)));
    limits.smooth = random.chance(0.2);
    std::array<std::vector<conf::WallTime>, kSites> sent;
    Disk disk;
    disk[std::string(Lease::kKey)] = Lease::record(kWall, true);
    Duration passed{0};
    while (passed < 3h) {  // one process
      const Duration began = passed;
      const Duration life = Duration(static_cast<int64_t>(random.below(2'000'000'000)));
      LimiterTable table;
      Lease lease;
      conf::WallTime begin, end;
      for (const auto& [key, value] : disk) {
        if (key != Lease::kKey) {
          ASSERT_TRUE(table.restore(key, value, after(passed)));
        } else if (Lease::gap(value, kWall + passed, &begin, &end)) {
          table.assume_gap(begin, end);
        }
      }
      Duration written = began - 1h;
      bool disk_works = true;
      std::array<std::shared_ptr<Traffic>, kSites> held;
      while (passed < began + life) {
        passed += Duration(static_cast<int64_t>(random.below(2'000'000)));
        const Moment moment = after(passed);
        if (passed - written >= Lease::kPeriod) {
          written = passed;
          if (random.chance(0.02)) disk_works = !disk_works;
          if (disk_works) {
            write(&table, &disk, moment);
            disk[std::string(Lease::kKey)] = Lease::record(moment.wall, false);
            lease.renewed(moment.now);
          } else {
            table.take_changes(moment);
            table.not_written();
          }
          table.sweep(moment);
        }
        const size_t site = random.below(kSites);
        if (held[site] == nullptr)
          held[site] = table.traffic({"r", std::to_string(site), "s"}, "", limits, moment);
        for (int i = 0; i < 10 && lease.valid(moment.now) && held[site]->may_send(moment.now).yes; ++i) {
          held[site]->charge(moment.now);
          sent[site].push_back(moment.wall);
        }
        if (random.chance(0.01)) held[site].reset();
      }
      passed += Duration(static_cast<int64_t>(random.below(20'000'000)));
    }
    size_t all = 0;
    for (const auto& times : sent) {
      all += times.size();
      for (size_t i = limits.messages_per_hour; i < times.size(); ++i)
        ASSERT_GE(times[i] - times[i - limits.messages_per_hour], 1h) << "seed " << seed;
    }
    ASSERT_GT(all, 0u);
  }
}

std::vector<RuleChanges::Rule> rules_named(const std::vector<std::string>& names) {
  std::vector<RuleChanges::Rule> rules;
  for (const std::string& name : names) rules.push_back({name, 1, 1, {}});
  return rules;
}

// What is known belongs to the site and the source, whatever the rule is called that decides by now.
TEST(LimiterTable, ABlockGoesOnUnderTheRuleThatTakesTheSite) {
  PathLimits limits;
  limits.messages_per_hour = 10;
  std::map<std::string, std::string> disk;
  for (const bool restarted : {false, true}) {
    LimiterTable table;
    LimiterTable* now = &table;
    LimiterTable again;
    table.rules_are(rules_named({"old"}));
    table.standing({"old", "a|", "s"}, limits, kNow)->block_by_rule(kStart + 5h, "why", kStart);
    table.traffic({"old", "a|", "s"}, "*", limits, kNow)->charge(kStart);
    if (restarted) {
      write(&table, &disk, kNow);
      read(disk, &again, after(1h));
      now = &again;
    }
    now->is_current = [](const CounterNames& names) { return names.rule != "old"; };
    now->rules_are(rules_named({"new"}));
    const Moment at = after(restarted ? 1h : 0h);
    EXPECT_EQ(now->standing({"new", "a|", "s"}, limits, at)->blocked_until(), kStart + 5h);
    EXPECT_TRUE(now->standing({"new", "b|", "s"}, limits, at)->may_send(at.now).yes);
    EXPECT_TRUE(now->standing({"new", "a|", "t"}, limits, at)->may_send(at.now).yes);
    if (!restarted) {
      EXPECT_EQ(now->traffic({"new", "a|", "s"}, "*", limits, at)->used_in_hour(at.now), 1U);
    }
  }
}

TEST(LimiterTable, ABlockIsCountedOnceWhoeverHoldsIt) {
  PathLimits limits;
  Disk disk;
  LimiterTable before;
  before.rules_are(rules_named({"old", "other"}));
  before.standing({"old", "a|", "s"}, limits, kNow)->block_by_rule(kStart + 5h, "why", kStart);
  write(&before, &disk, kNow);
  LimiterTable table;
  read(disk, &table, kNow);
  EXPECT_EQ(table.detached(kStart).blocked, 1U) << "right after a restart, before anything asks";
  auto held = table.standing({"old", "a|", "s"}, limits, kNow);
  EXPECT_EQ(table.detached(kStart).blocked, 0U) << "a path has it";
  held.reset();
  held = table.standing({"other", "a|", "s"}, limits, kNow);
  EXPECT_EQ(table.detached(kStart).blocked, 1U) << "the old rule decides still, for others";
  table.is_current = [](const CounterNames& names) { return names.rule != "old"; };
  table.rules_are(rules_named({"new", "other"}));
  held = table.standing({"new", "a|", "s"}, limits, kNow);
  EXPECT_EQ(held->state(), Standing::State::kBlocked);
  EXPECT_EQ(table.detached(kStart).blocked, 0U) << "the rule that decides now has taken it over";
  int seen = 0;
  size_t next = 0;
  (void)table.visit_detached(&next, SIZE_MAX, [&](const std::string& key, Standing&, bool superseded) {
    ++seen;
    EXPECT_EQ(key, "S|old|a%7C|s|*");
    EXPECT_TRUE(superseded);
  });
  EXPECT_EQ(seen, 1) << "an order still reaches it: the old rule may come back";
}

TEST(LimiterTable, WhatIsForgottenIsGivenInPartsAndBeforeTheSameKeyIsMadeAgain) {
  constexpr size_t kStale = 2500;
  LimiterTable before;
  std::vector<std::shared_ptr<Standing>> held;
  for (size_t i = 0; i < kStale; ++i) {
    held.push_back(before.standing({"rule", std::to_string(i) + "|", "s"}, {}, kNow));
    held.back()->block_by_rule(kNow.now + 1min, "test", kNow.now);
  }
  const auto saved = before.take_changes(kNow);
  ASSERT_EQ(saved.size(), kStale);
  const Moment much_later{kNow.now + 24h * 400, kNow.wall + 24h * 400};
  LimiterTable after;
  for (const auto& [key, value] : saved) ASSERT_TRUE(after.restore(key, value, much_later));
  std::map<std::string, std::string> disk(saved.begin(), saved.end());
  const auto again = after.standing({"rule", "0|", "s"}, {}, much_later);
  again->block_by_rule(much_later.now + 1h, "test", much_later.now);
  for (int writes = 0; after.changed() && writes < 10; ++writes) {
    const auto some = after.take_changes(much_later, 1000);
    EXPECT_LE(some.size(), 1000U);
    for (const auto& [key, value] : some) disk[key] = value;
  }
  EXPECT_FALSE(after.changed());
  size_t left = 0;
  for (const auto& [key, value] : disk) left += value.empty() ? 0 : 1;
  EXPECT_EQ(left, 1U) << "the one that was made again";
}

TEST(LimiterTable, WhatIsUnderARuleThatStillDecidesStaysThere) {
  LimiterTable table;
  table.standing({"other", "a|", "s"}, {}, kNow)->block_by_rule(kStart + 5h, "why", kStart);
  EXPECT_TRUE(table.standing({"new", "a|", "s"}, {}, kNow)->may_send(kStart).yes);
}

}  // namespace
}  // namespace mx
