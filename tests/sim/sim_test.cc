// Runs many seeds; PENSTOCK_SIM_SEEDS says how many, PENSTOCK_SIM_FIRST from which on.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/sim/scenario.h"

namespace sim {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Simulation, NothingPromisedIsLostAndNoLimitIsBroken) {
  const uint64_t first = from_environment("PENSTOCK_SIM_FIRST", 1);
  const uint64_t seeds = from_environment("PENSTOCK_SIM_SEEDS", 1000);
  Verdict all;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const Verdict verdict = run_scenario(seed);
    for (const std::string& violation : verdict.violations)
      ADD_FAILURE() << "seed " << seed << ": " << violation;
    all.promised += verdict.promised;
    all.delivered += verdict.delivered;
    all.reported += verdict.reported;
    all.duplicates += verdict.duplicates;
    all.crashes += verdict.crashes;
    if (testing::Test::HasFailure()) break;
  }
  std::printf("%llu promised, %llu delivered, %llu reported, %llu delivered twice or more, %llu crashes\n",
              static_cast<unsigned long long>(all.promised), static_cast<unsigned long long>(all.delivered),
              static_cast<unsigned long long>(all.reported), static_cast<unsigned long long>(all.duplicates),
              static_cast<unsigned long long>(all.crashes));
  // A simulation in which nothing happens proves nothing.
  if (seeds >= 100) {
    EXPECT_GT(all.delivered, seeds);
    EXPECT_GT(all.reported, 0U);
    EXPECT_GT(all.crashes, 0U);
  }
}

TEST(Simulation, TheSameSeedIsTheSameHistory) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(run_scenario(seed).history, run_scenario(seed).history) << seed;
  }
  EXPECT_NE(run_scenario(1).history, run_scenario(2).history);
}

}  // namespace
}  // namespace sim
