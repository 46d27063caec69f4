// Runs many seeds; tests/sim/seeds.h says which.
#include <gtest/gtest.h>

#include <cstdio>
#include <vector>

#include "tests/sim/scenario.h"
#include "tests/sim/seeds.h"

namespace sim {
namespace {

TEST(Simulation, NothingPromisedIsLostAndNoLimitIsBroken) {
  const std::vector<uint64_t> seeds = seeds_to_play("delivery", 1000);
  Verdict all;
  for (const uint64_t seed : seeds) {
    const Verdict verdict = run_scenario(seed);
    for (const std::string& violation : verdict.violations)
      ADD_FAILURE() << "seed " << seed << ": " << violation;
    all.promised += verdict.promised;
    all.delivered += verdict.delivered;
    all.reported += verdict.reported;
    all.duplicates += verdict.duplicates;
    all.crashes += verdict.crashes;
    all.encrypted += verdict.encrypted;
    all.unread += verdict.unread;
    all.crowded += verdict.crowded;
    all.of_streams += verdict.of_streams;
    for (size_t i = 0; i < kFaults; ++i) all.played[i] += verdict.played[i];
    if (testing::Test::HasFailure()) break;
  }
  std::printf("%llu promised, %llu delivered, %llu reported, %llu delivered twice or more, %llu crashes\n",
              static_cast<unsigned long long>(all.promised), static_cast<unsigned long long>(all.delivered),
              static_cast<unsigned long long>(all.reported), static_cast<unsigned long long>(all.duplicates),
              static_cast<unsigned long long>(all.crashes));
  // A simulation in which nothing happens proves nothing.
  if (seeds.size() >= 100) {
    EXPECT_GT(all.delivered, seeds.size());
    EXPECT_GT(all.reported, 0U);
    EXPECT_GT(all.crashes, 0U);
    EXPECT_GT(all.encrypted, 0U);
    EXPECT_GT(all.unread, 0U);
    EXPECT_GT(all.crowded, 0U);
    EXPECT_GT(all.of_streams, 0U);
    for (size_t i = 0; i < kFaults; ++i) EXPECT_GT(all.played[i], 0U) << "fault " << i;
  }
}

// As many as a real queue has in a bad hour: tables grow and shrink, and every list is long.
TEST(Simulation, FiftyThousandMessagesAreLostNoMoreThanAFew) {
#ifdef PENSTOCK_SANITIZED  // it makes the run ten times as long
  const std::vector<std::pair<uint64_t, uint64_t>> runs = {{1, 5'000}};
#else
  const std::vector<std::pair<uint64_t, uint64_t>> runs = {{1, 5'000}, {2, 5'000}, {1, 50'000}, {2, 50'000}};
#endif
  for (const auto& [seed, messages] : runs) {
    const Verdict verdict = run_scenario(seed, messages);
    for (const std::string& violation : verdict.violations)
      ADD_FAILURE() << "seed " << seed << ": " << violation;
    EXPECT_GE(verdict.promised, messages);
    EXPECT_GE(verdict.delivered + verdict.reported, messages / 10 * 9);
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
