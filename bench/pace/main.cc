// How well is a limit found that the receiver tells nobody? Plays random receivers of each kind in virtual
// time against the counters of a path and against other ways to steer, and prints a table.
//   penstock-pace [RECEIVERS] [SEED] [penstock]     "penstock": that alone, with each receiver that it fails
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/pace/play.h"

namespace {

using pace::Kind;
using pace::Method;
using pace::Seen;

double at_share(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

void print_row(Kind kind, Method method, const std::vector<Seen>& all) {
  std::vector<double> shares, refused;
  uint32_t storm = 0, at_first = 0, good = 0;
  for (const Seen& seen : all) {
    shares.push_back(seen.share);
    refused.push_back(seen.refused);
    storm = std::max(storm, seen.storm);
    at_first = std::max(at_first, seen.at_first);
    good += seen.good() ? 1 : 0;
  }
  std::printf("%-15s %-24s %5.0f %%  %6.2f %6.2f  %8.2f %8.2f  %6u %6u\n", to_text(kind), to_text(method),
              100.0 * good / static_cast<double>(all.size()), at_share(shares, 0.05), at_share(shares, 0.5),
              at_share(refused, 0.5), at_share(refused, 0.95), storm, at_first);
}

void play_kind(Kind kind, uint32_t receivers, uint64_t seed, bool alone) {
  for (size_t m = 0; m < (alone ? 1 : pace::kMethods); ++m) {
    const auto method = static_cast<Method>(m);
    conf::Random random(seed * pace::kKinds + static_cast<uint64_t>(kind));
    std::vector<Seen> all;
    for (uint32_t i = 0; i < receivers; ++i) {
      const pace::Hidden hidden = draw(kind, &random);
      const auto control = make(method);
      all.push_back(play(hidden, random.next(), control.get()));
      if (alone && !all.back().good())
        std::printf("  %s: share %.2f, refused %.2f\n", hidden.text().c_str(), all.back().share,
                    all.back().refused);
    }
    print_row(kind, method, all);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const uint32_t receivers = argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 1000;
  const uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const bool alone = argc > 3 && std::string(argv[3]) == "penstock";
  const auto each = std::max<uint32_t>(receivers / pace::kKinds, 1);
  std::printf(
      "%u receivers of each kind; good: at least 0.90 of what could be had after ten minutes, and less than "
      "2\n"
      "refusals for 100 messages taken in the steady state; storm: the most refusals in ten seconds\n\n"
      "%-15s %-24s %7s  %6s %6s  %8s %8s  %6s %6s\n",
      each, "limit", "control", "good", "5 %", "median", "refused", "95 %", "storm", "first");
  for (size_t kind = 0; kind < pace::kKinds; ++kind) play_kind(static_cast<Kind>(kind), each, seed, alone);
}
