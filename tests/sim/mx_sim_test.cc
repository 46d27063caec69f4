// Runs many seeds; tests/sim/seeds.h says which.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/sim/mx_scenario.h"
#include "tests/sim/seeds.h"

namespace sim {
namespace {

unsigned long long shown(uint64_t number) { return number; }  // NOLINT: for printf

TEST(MxSimulation, NoLimitIsBrokenAndNothingSitsIdle) {
  const std::vector<uint64_t> played = seeds_to_play("mx", 300);
  const uint64_t seeds = played.size();
  MxVerdict all;
  uint64_t failed = 0;
  for (const uint64_t seed : played) {
    if (failed >= 5) break;
    const MxVerdict verdict = run_mx_scenario(seed);
    for (const std::string& violation : verdict.violations)
      ADD_FAILURE() << "seed " << seed << ": " << violation;
    failed += verdict.violations.empty() ? 0 : 1;
    all.promised += verdict.promised;
    all.delivered += verdict.delivered;
    all.reported += verdict.reported;
    all.mails += verdict.mails;
    all.blocks += verdict.blocks;
    all.probes_failed += verdict.probes_failed;
    all.ramps += verdict.ramps;
    all.crashes += verdict.crashes;
    all.restarts += verdict.restarts;
    all.reloads += verdict.reloads;
    all.adapted += verdict.adapted;
    all.slowed += verdict.slowed;
  }
  std::printf(
      "%llu promised, %llu delivered, %llu reported, %llu attempts; %llu blocks (%llu by probes), %llu "
      "ramps, "
      "%llu pauses, %llu rates learned; %llu crashes, %llu restarts, %llu reloads\n",
      shown(all.promised), shown(all.delivered), shown(all.reported), shown(all.mails), shown(all.blocks),
      shown(all.probes_failed), shown(all.ramps), shown(all.slowed), shown(all.adapted), shown(all.crashes),
      shown(all.restarts), shown(all.reloads));
  // A simulation in which nothing happens proves nothing.
  if (seeds >= 100) {
    EXPECT_GT(all.delivered, 10 * seeds);
    EXPECT_GT(all.blocks, seeds / 4);
    EXPECT_GT(all.probes_failed, 0U);
    EXPECT_GT(all.ramps, seeds / 10);
    EXPECT_GT(all.crashes, seeds / 4);
    EXPECT_GT(all.restarts, seeds / 10);
    EXPECT_GT(all.reloads, seeds / 4);
    EXPECT_GT(all.slowed, seeds / 10);
  }
}

TEST(MxSimulation, TheSameSeedIsTheSameHistory) {
  for (uint64_t seed = 1; seed <= 4; ++seed)
    EXPECT_EQ(run_mx_scenario(seed).history, run_mx_scenario(seed).history) << seed;
  EXPECT_NE(run_mx_scenario(1).history, run_mx_scenario(2).history);
}

}  // namespace
}  // namespace sim
