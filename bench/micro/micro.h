// How a benchmark of this folder is registered: MICRO(name) in the place of BENCHMARK(name). With
// PENSTOCK_MICRO_ITERATIONS=N in the environment it then runs exactly N times, which check.sh needs to count
// instructions.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>

namespace bench {

inline void fix_iterations(benchmark::internal::Benchmark* benchmark) {
  const char* count = std::getenv("PENSTOCK_MICRO_ITERATIONS");
  if (count != nullptr) benchmark->Iterations(std::atoi(count));
}

}  // namespace bench

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): it wraps a macro.
#define MICRO(name) BENCHMARK(name)->Apply(bench::fix_iterations)
