// Rules are edited, and the edits undone: no limit is broken by it, and nothing is counted twice.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "conf/vocab/random.h"
#include "tests/mx/limits/rule_edits_rig.h"
#include "tests/mx/limits/stories.h"

namespace mx {
namespace {

TEST_F(RuleEdits, ARenamedRuleAndItsUndoAreTheSameCounters) {
  for (const bool restarts : {false, true}) {
    edit({{"old"}});
    charge(traffic("old"), 10);
    traffic("old")->connection_opened(now().now);
    time += 1s;
    standing("old")->block_by_rule(kStart + 5h, "why", now().now);
    if (restarts) restart();
    edit({{"new"}});
    EXPECT_EQ(used(traffic("new")), 10U);
    EXPECT_EQ(standing("new")->blocked_until(), kStart + 5h);
    if (!restarts) {
      EXPECT_EQ(traffic("new")->connections(), 1U) << "what is open goes on to count";
      traffic("old")->connection_closed();
      EXPECT_EQ(traffic("new")->connections(), 0U);
    }
    charge(traffic("new"), 5);
    time += 1s;
    if (restarts) restart();
    edit({{"old"}});
    EXPECT_EQ(used(traffic("old")), 15U);
    EXPECT_EQ(standing("old")->blocked_until(), kStart + 5h);
    edit({{"new"}});
    EXPECT_EQ(used(traffic("new")), 15U) << "nothing is counted twice";
    held.clear();
    disk.clear();
    make_table();
  }
}

TEST_F(RuleEdits, ANewRuleAboveTakesOverAndGivesBack) {
  for (const bool restarts : {false, true}) {
    edit({{"all"}});
    charge(traffic("all"), 10);
    standing("all")->block_by_rule(kStart + 5h, "why", now().now);
    time += 1s;
    if (restarts) restart();
    edit({{"some"}, {"all"}});
    EXPECT_EQ(used(traffic("all")), 10U);
    EXPECT_EQ(used(traffic("some")), 10U);
    EXPECT_EQ(standing("some")->blocked_until(), kStart + 5h);
    EXPECT_EQ(standing("all")->blocked_until(), kStart + 5h);
    time += 1s;
    charge(traffic("some"), 3);
    charge(traffic("all"), 4);
    EXPECT_EQ(used(traffic("some")), 13U) << "they are counted apart from now on";
    EXPECT_EQ(used(traffic("all")), 14U);
    time += 1s;
    if (restarts) restart();
    edit({{"all"}});
    EXPECT_EQ(used(traffic("all")), 17U);
    time += 1s;
    edit({{"some"}, {"all"}});
    EXPECT_EQ(used(traffic("some")), 17U);
    held.clear();
    disk.clear();
    make_table();
  }
}

// Each edit that began a slice of five minutes anew let a share go at once.
TEST_F(RuleEdits, AnEditBeginsNoSliceAnew) {
  edit({{"r0"}});
  charge(traffic("r0"), 60);
  for (int i = 1; i <= 5; ++i) {
    time += 1s;
    const std::string rule = "r" + std::to_string(i);
    edit({{rule}});
    EXPECT_EQ(traffic(rule)->used_in_slice(now().now), std::min(50U + 10U * static_cast<uint32_t>(i), 100U));
    charge(traffic(rule), i < 5 ? 10 : 0);
  }
  EXPECT_FALSE(traffic("r5")->may_send(now().now).yes) << "100 of 1,200 an hour in these five minutes";
  time = 5min;
  EXPECT_TRUE(traffic("r5")->may_send(now().now).yes);
}

TEST_F(RuleEdits, RulesThatWereThereAllAlongStayApart) {
  edit({{"some"}, {"all"}, {"other"}});
  charge(traffic("all"), 10);
  standing("all")->block_by_rule(kStart + 5h, "why", now().now);
  edit({{"some"}, {"all"}, {"other", RuleScope::kPool}});
  EXPECT_EQ(used(traffic("some")), 0U);
  EXPECT_TRUE(standing("some")->may_send(now().now).yes);
  restart();
  EXPECT_EQ(used(traffic("some")), 0U);
  EXPECT_TRUE(standing("some")->may_send(now().now).yes);
  edit({{"some"}, {"all", RuleScope::kPool}, {"other"}});
  EXPECT_EQ(used(traffic("some")), 0U) << "the other one counts together something else: not my matter";
}

TEST_F(RuleEdits, WhatALaterRuleCountsIsNotSpreadByLaterEdits) {
  edit({{"all"}});
  charge(traffic("all"), 10);
  edit({{"some"}, {"all"}});
  EXPECT_EQ(used(traffic("some")), 10U);
  time += 1s;
  charge(traffic("all"), 20);
  edit({{"third"}, {"some"}, {"all"}});
  EXPECT_EQ(used(traffic("some")), 10U);
}

TEST_F(RuleEdits, PoolAndSource) {
  edit({{"r"}});
  charge(traffic("r", "a|", "s"), 10);
  charge(traffic("r", "a|", "t"), 20);
  standing("r", "a|", "t")->block_by_rule(kStart + 5h, "why", now().now);
  for (int i = 0; i < 3; ++i) {
    time += 1s;
    edit({{"r", RuleScope::kPool}});
    EXPECT_EQ(used(traffic("r", "a|", "s")), 30U) << "all of them, whoever asks first";
    EXPECT_EQ(standing("r", "a|", "s")->blocked_until(), kStart + 5h);
    if (i == 1) restart();
    EXPECT_EQ(used(traffic("r", "a|", "t")), 30U);
    time += 1s;
    edit({{"r"}});
    EXPECT_EQ(used(traffic("r", "a|", "s")), 10U) << "what the pool did not charge was known";
  }
  edit({{"r", RuleScope::kPool}});
  charge(traffic("r", "a|", "s"), 5);
  time += 1s;
  edit({{"r"}});
  EXPECT_EQ(used(traffic("r", "a|", "s")), 15U);
  EXPECT_EQ(used(traffic("r", "a|", "t")), 25U) << "each inherits the whole";
  time += 1s;
  edit({{"r", RuleScope::kPool}});
  EXPECT_EQ(used(traffic("r", "a|", "s")), 35U);
}

TEST_F(RuleEdits, AddressAndSource) {
  edit({{"r", RuleScope::kPath}});
  charge(traffic("r", "a|", "s", "1"), 10);
  charge(traffic("r", "a|", "s", "2"), 20);
  time += 1s;
  edit({{"r"}});
  const PathLimits all = limits_of("r");
  const Whereabouts where{"a|", {"s"}, {"1", "2"}};
  const auto site = table->traffic({"r", "a|", "s"}, "*", all, now(), &where);
  EXPECT_EQ(used(site), 30U);
  charge(site, 2);
  time += 1s;
  edit({{"r", RuleScope::kPath}});
  EXPECT_EQ(used(traffic("r", "a|", "s", "1")), 12U);
  EXPECT_EQ(used(traffic("r", "a|", "s", "2")), 22U);
  EXPECT_EQ(used(traffic("r", "a|", "s", "3")), 2U);
}

TEST_F(RuleEdits, OneSiteOnAndOff) {
  edit({{"r"}, {"else"}});
  charge(traffic("r", "a|"), 10);
  charge(traffic("r", "b|"), 20);
  charge(traffic("else", "c|"), 40);
  standing("r", "b|")->block_by_rule(kStart + 5h, "why", now().now);
  restart();
  time += 1s;
  edit({{"r", RuleScope::kSource, true}, {"else"}});
  EXPECT_EQ(used(traffic("r", "a|")), 30U) << "also of sites that nothing asks for yet";
  EXPECT_EQ(standing("r", "a|")->blocked_until(), kStart + 5h);
  EXPECT_EQ(used(traffic("r", "b|")), 30U);
  charge(traffic("r", "b|"), 1);
  time += 1s;
  edit({{"r"}, {"else"}});
  EXPECT_EQ(used(traffic("r", "a|")), 11U);
  EXPECT_EQ(used(traffic("r", "b|")), 21U);
  EXPECT_EQ(standing("r", "a|")->blocked_until(), kStart + 5h) << "each inherits the whole";
}

TEST_F(RuleEdits, AStepOfTheWallClockBetweenTwoEditsLosesNothing) {
  for (const Duration step : {-1h, 1h}) {
    make_table();
    edit({{"r"}});
    charge(traffic("r"), 5);
    time += 1s;
    edit({{"q"}});
    EXPECT_EQ(used(traffic("q")), 5U);
    time += 1s;
    wall_step += step;
    edit({{"r"}});
    charge(traffic("r"), 7);
    time += 1s;
    edit({{"q"}});
    EXPECT_EQ(used(traffic("q")), 12U);
    held.clear();
  }
}

TEST_F(RuleEdits, WhatAPoolSentToOtherSitesIsAddedUpForEachSource) {
  edit({{"r", RuleScope::kPool}});
  charge(traffic("r", "b|"), 10);
  time += 1s;
  edit({{"r", RuleScope::kSource, true}});
  EXPECT_EQ(used(traffic("r", "a|")), 10U);
}

TEST_F(RuleEdits, OpenConnectionsCountUnderTheNewScopeUntilTheyEnd) {
  edit({{"r"}});
  const auto one = traffic("r", "a|", "s"), two = traffic("r", "a|", "t");
  for (int i = 0; i < 3; ++i) one->connection_opened(now().now), two->connection_opened(now().now);
  edit({{"r", RuleScope::kPool}});
  const auto pool = traffic("r", "a|", "s");
  EXPECT_EQ(pool->connections(), 6U);
  EXPECT_FALSE(pool->may_connect(now().now).yes);
  EXPECT_EQ(one->borrowers().size(), 1U) << "whoever waits there is woken";
  for (int i = 0; i < 3; ++i) one->connection_closed(), two->connection_closed();
  EXPECT_EQ(pool->connections(), 0U);
  EXPECT_TRUE(one->borrowers().empty());
}

TEST_F(RuleEdits, AConnectionOverSeveralEditsEndsEverywhere) {
  edit({{"all"}});
  const auto all = traffic("all");
  all->connection_opened(now().now);
  edit({{"some"}, {"all"}});
  const auto some = traffic("some");
  EXPECT_EQ(some->connections(), 1U);
  edit({{"all"}});
  EXPECT_EQ(traffic("all")->connections(), 1U) << "it is its own, and does not come back as a guest";
  edit({{"other"}, {"all"}});
  const auto other = traffic("other");
  EXPECT_EQ(other->connections(), 1U);
  all->connection_closed();
  EXPECT_EQ(all->connections(), 0U);
  EXPECT_EQ(some->connections(), 0U);
  EXPECT_EQ(other->connections(), 0U);
}

TEST_F(RuleEdits, ARateOfADayIsKeptWhenItsRuleIsRenamed) {
  limits.messages_per_hour = 0;
  limits.rate = {500, 24h, 500};
  edit({{"old"}});
  charge(traffic("old"), 500);
  time += 2h;
  edit({{"new"}});
  const auto renamed = traffic("new");
  EXPECT_FALSE(renamed->may_send(now().now).yes);
  time += 23h;
  EXPECT_TRUE(renamed->may_send(now().now).yes);
}

TEST_F(RuleEdits, AShortRateIsKeptOverASplitAndWhenItIsLowered) {
  limits.messages_per_hour = 0;
  limits.rate = {60, 1min, 1};
  edit({{"all"}});
  const auto all = traffic("all");
  for (int i = 0; i < 55; ++i) {
    time += 1050ms;
    all->charge(now().now);
  }
  edit({{"some"}, {"all"}});
  const auto some = traffic("some");
  int gone = 0;
  for (int i = 0; i < 2000 && time < 60s; ++i) {
    if (some->may_send(now().now).yes) some->charge(now().now), ++gone;
    time += 20ms;
  }
  EXPECT_LE(gone, 5);
  EXPECT_GE(gone, 1);
  // Six a minute from now on: not before 54 of the last sixty are older than a minute.
  limits.rate = {6, 1min, 1};
  edit({{"all"}});
  const auto lower = traffic("all");
  EXPECT_FALSE(lower->may_send(now().now + 30s).yes);
  EXPECT_TRUE(lower->may_send(now().now + 61s).yes);
}

TEST_F(RuleEdits, TheNextStartKnowsTheFirstRules) {
  edit({{"r"}});
  charge(traffic("r"), 10);
  time += 1s;
  rules = {{"r", RuleScope::kPool}};
  restart();
  EXPECT_EQ(used(traffic("r")), 10U);
}

TEST_F(RuleEdits, ARateThatIsLoweredWhileTheRelayIsDownHolds) {
  limits.rate = {12, 1min, 1};
  edit({{"r"}});
  for (int i = 0; i < 4; ++i) {
    charge(traffic("r"), 1);
    time += 6s;
  }
  restart();
  limits.rate = {4, 1min, 3};
  int gone = 0;
  for (time = 70s; time < 71s; time += 100ms) {
    if (traffic("r")->may_send(now().now).yes) charge(traffic("r"), 1), ++gone;
  }
  EXPECT_LE(gone, 2) << "two that went at 12 s and 18 s still count";
  time += 20s;
  EXPECT_TRUE(traffic("r")->may_send(now().now).yes);
}

TEST_F(RuleEdits, ManySitesAreAddedUpInParts) {
  constexpr uint32_t kSites = 1000;
  limits.messages_per_hour = 10 * kSites;
  edit({{"r"}});
  for (uint32_t i = 0; i < kSites; ++i) charge(traffic("r", std::to_string(i) + "|"), 2);
  time += 1s;
  edit({{"r", RuleScope::kSource, true}});
  const Whereabouts where{"7|", {"s"}, {}};
  const auto all = table->traffic({"r", "7|", "s"}, "*", limits_of("r"), now(), &where);
  EXPECT_TRUE(table->is_gathering());
  EXPECT_LT(used(all), 2 * kSites);
  int calls = 1;
  while (table->gather(now())) ++calls;
  EXPECT_GE(calls, 4);
  EXPECT_FALSE(table->is_gathering());
  EXPECT_EQ(used(all), 2 * kSites);
  EXPECT_EQ(used(traffic("r", "8|")), 2 * kSites) << "each once";
}

// Two sites, two sources, two addresses; rules of every shape, split and joined at random. No message goes
// that would be one too many by what decides then, whoever had counted the others.
TEST_F(RuleEdits, AtRandomNoHourEverHoldsMoreThanTheRuleThatDecides) {
  struct Sent {
    Instant at;
    std::string rule, site, source, address;
  };
  uint64_t sent = 0, refused = 0;
  for (uint64_t seed = 1; seed <= stories(60); ++seed) {
    conf::Random random(seed);
    held.clear();
    disk.clear();
    rules.clear();
    make_table();
    time = Duration(0);
    limits.messages_per_hour = 40;
    limits.rate = {12, 1min, random.chance(0.5) ? 1U : 4U};
    std::deque<Sent> all;
    const auto draw = [&] {
      std::vector<Edited> drawn;
      const auto one = [&](const char* name) {
        drawn.push_back({name, static_cast<RuleScope>(random.below(3)), random.chance(0.3)});
      };
      if (random.chance(0.5)) one("some");  // takes site b from the other
      one(random.chance(0.7) ? "all" : "renamed");
      edit(std::move(drawn));
    };
    const auto rule_of = [&](const std::string& site) {
      return site == "b|" && rules.size() > 1 ? rules[0] : rules.back();
    };
    draw();
    for (int i = 0; i < 3000; ++i) {
      time += Duration(static_cast<int64_t>(random.below(4'000'000)));
      if (random.chance(0.01)) draw();
      if (random.chance(0.003)) restart();
      if (random.chance(0.1)) save();
      const std::string site = random.chance(0.5) ? "a|" : "b|", source = random.chance(0.5) ? "s" : "t";
      const std::string address = site == "a|" ? "1" : "2";
      const Edited rule = rule_of(site);
      const auto counters = traffic(rule.name, site, source, address);
      held.clear();
      if (!counters->may_send(now().now).yes) {
        ++refused;
        continue;
      }
      const auto is_counted = [&](const Sent& one) {
        const Edited other = rule_of(one.site);
        if (other.name != rule.name) return false;
        if (rule.scope == RuleScope::kPath) return one.source == source && one.address == address;
        return (rule.one_site || one.site == site) &&
               (rule.scope == RuleScope::kPool || one.source == source);
      };
      const auto within = [&](Duration window) {
        return std::ranges::count_if(
            all, [&](const Sent& one) { return one.at > now().now - window && is_counted(one); });
      };
      ASSERT_LT(within(1h), 40) << "seed " << seed << ", step " << i;
      ASSERT_LT(within(1min), 12) << "seed " << seed << ", step " << i;
      counters->charge(now().now);
      all.push_back({now().now, rule.name, site, source, address});
      ++sent;
    }
  }
  EXPECT_GT(sent, stories(60) * 50);
  EXPECT_GT(refused, stories(60) * 100);
}

}  // namespace
}  // namespace mx
