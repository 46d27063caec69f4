// What judging costs per message, and what a standing weighs.
#include <malloc.h>

#include <memory>
#include <vector>

#include "bench/micro/micro.h"
#include "mx/limits/standing.h"

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

mx::PathLimits limits(size_t thresholds, bool learning) {
  mx::PathLimits out;
  out.thresholds.resize(thresholds);
  if (!learning) return out;
  out.adaptive = conf::AdaptiveMode::kOn;
  out.adaptive_min_per_hour = 1'000;
  out.adaptive_max_per_hour = 2'000'000'000;
  out.warmup = {2'000'000'000};
  return out;
}

// One message from its permission to its end, 100 a second, every twentieth refused.
void message(benchmark::State& state) {
  mx::Standing standing(limits(static_cast<size_t>(state.range(0)), state.range(1) != 0));
  conf::Instant now{5s};
  mx::Outcome outcome;
  uint32_t count = 0;
  for (auto _ : state) {
    now += 10ms;
    if (!standing.may_send(now).yes) return state.SkipWithError("not allowed");
    const mx::Standing::Attempt attempt = standing.began(now);
    const bool refused = ++count % 20 == 0;
    outcome.kind = refused ? mx::Outcome::Kind::kHard : mx::Outcome::Kind::kAccepted;
    outcome.reply =
        refused ? "550 5.1.1 <someone@some.example> unknown user, see https://some.example/help" : "250 ok";
    standing.outcome(attempt, outcome, now);
    standing.ended(attempt, true, now);
    benchmark::DoNotOptimize(standing.has_decisions());
  }
}
MICRO(message)
    ->ArgNames({"thresholds", "learning"})
    ->Args({0, 0})
    ->Args({1, 0})
    ->Args({2, 0})
    ->Args({4, 0})
    ->Args({1, 1});

// Bytes of one standing with its allocations, after mail that was taken (and, refused = 1, after refusals).
void weight(benchmark::State& state) {
  constexpr size_t kCount = 10'000;
  const mx::PathLimits rule = limits(1, false);
  for (auto _ : state) {
    std::vector<std::unique_ptr<mx::Standing>> all;
    all.reserve(kCount);
    const size_t before = mallinfo2().uordblks;
    for (size_t i = 0; i < kCount; ++i) {
      all.push_back(std::make_unique<mx::Standing>(rule));
      mx::Outcome outcome;
      const conf::Instant now{5s};
      if (state.range(0) != 0) {
        outcome.kind = mx::Outcome::Kind::kHard;
        outcome.reply = "550 5.1.1 <someone@some.example> unknown user, see https://some.example/help";
      }
      for (int k = 0; k < 5; ++k) {
        const mx::Standing::Attempt attempt = all.back()->began(now);
        all.back()->outcome(attempt, outcome, now);
        all.back()->ended(attempt, true, now);
      }
    }
    state.counters["bytes"] = static_cast<double>(mallinfo2().uordblks - before) / kCount;
  }
}
BENCHMARK(weight)->ArgName("refused")->Arg(0)->Arg(1)->Iterations(1);

}  // namespace
