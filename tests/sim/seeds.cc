#include "tests/sim/seeds.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace sim {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

uint64_t first_of_today() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto days = std::chrono::duration_cast<std::chrono::hours>(since_epoch).count() / 24;
  return static_cast<uint64_t>(days) * 1'000'000;
}

std::vector<uint64_t> kept(const std::string& scenario) {
  std::vector<uint64_t> seeds;
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/tests/sim/kept_seeds.txt");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind(scenario + " ", 0) != 0) continue;
    seeds.push_back(std::strtoull(line.c_str() + scenario.size() + 1, nullptr, 10));
  }
  return seeds;
}

// Every N-th, beginning with the K-th; all of them when PENSTOCK_SIM_PART says nothing.
std::vector<uint64_t> part_of(const std::vector<uint64_t>& seeds) {
  unsigned part = 1;
  unsigned parts = 1;
  const char* text = std::getenv("PENSTOCK_SIM_PART");
  if (text != nullptr && std::sscanf(text, "%u/%u", &part, &parts) != 2) return seeds;
  std::vector<uint64_t> mine;
  for (size_t index = 0; index < seeds.size(); ++index) {
    if (index % parts == part - 1) mine.push_back(seeds[index]);
  }
  return mine;
}

}  // namespace

std::vector<uint64_t> seeds_to_play(const std::string& scenario, uint64_t usual) {
  std::vector<uint64_t> seeds = kept(scenario);
  const uint64_t first = from_environment("PENSTOCK_SIM_FIRST", 1);
  const uint64_t count = from_environment("PENSTOCK_SIM_SEEDS", usual);
  for (uint64_t seed = first; seed < first + count; ++seed) seeds.push_back(seed);
  const uint64_t daily = from_environment("PENSTOCK_SIM_DAILY", 0);
  const uint64_t today = first_of_today();
  for (uint64_t seed = today; seed < today + daily; ++seed) seeds.push_back(seed);
  if (daily > 0) {
    std::printf("simulation of the day, %s: %llu seeds from %llu\n", scenario.c_str(),
                static_cast<unsigned long long>(daily), static_cast<unsigned long long>(today));
  }
  return part_of(seeds);
}

}  // namespace sim
