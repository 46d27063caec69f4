// Which seeds a run of the simulation plays. From the environment:
//   PENSTOCK_SIM_SEEDS=N   how many, from PENSTOCK_SIM_FIRST on (1)
//   PENSTOCK_SIM_DAILY=N   so many more that are new every day (UTC), so that the days search on
//   PENSTOCK_SIM_PART=K/N  only each N-th of them: the parts of one run use several cores
// A seed that ever failed goes into tests/sim/kept_seeds.txt and is played first, always.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sim {

// `scenario`: the word before the seed on a line of kept_seeds.txt. Prints the seeds of the day.
std::vector<uint64_t> seeds_to_play(const std::string& scenario, uint64_t usual);

}  // namespace sim
