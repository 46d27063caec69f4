// The limiter: a decision, a million sites in the table, and what writing the changes costs.
//   build/release/bin/penstock-micro --benchmark_filter='admission|table'
#include <malloc.h>

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "bench/micro/micro.h"
#include "conf/vocab/random.h"
#include "mx/limits/limiter_table.h"

namespace {

using conf::Duration;
using conf::Instant;
using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr Instant kStart{1h};
constexpr conf::WallTime kWall{Duration(1'700'000'000'000'000)};

mx::PathLimits usual_limits() {
  mx::PathLimits limits;
  limits.messages_per_hour = 36'000;
  limits.rate = {6000, 1min, 100};
  limits.thresholds.push_back({});
  return limits;
}

// The processor time of this thread: what others do on the machine is no step of ours.
double cpu_ms() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

struct Site {
  std::shared_ptr<mx::Traffic> traffic;
  std::shared_ptr<mx::Standing> standing;
};

mx::Moment at(Duration passed) { return {kStart + passed, kWall + passed}; }

// One accepted message.
void send(const Site& site, Instant now) {
  mx::Admission answer = site.standing->may_send(now);
  if (answer.yes) answer = site.traffic->may_connect(now);
  if (answer.yes) answer = site.traffic->may_send(now);
  if (!answer.yes) return;
  site.traffic->charge(now);
  const mx::Standing::Attempt attempt = site.standing->began(now);
  site.standing->outcome(attempt, {}, now);
  site.standing->ended(attempt, true, now);
  site.traffic->accepted(now);
}

double allocated() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

double bytes_of_a_busy_site() {
  constexpr size_t kBusy = 1000;
  const mx::PathLimits limits = usual_limits();
  std::vector<Site> sites;
  sites.reserve(kBusy);
  mx::LimiterTable table;
  const double before = allocated();
  for (size_t i = 0; i < kBusy; ++i) {
    const mx::CounterNames names = {"general", "mx1.busy" + std::to_string(i) + ".example", "s1"};
    sites.push_back({table.traffic(names, "", limits, at(0s)), table.standing(names, limits, at(0s))});
  }
  for (Duration passed{0}; passed < 1h; passed += 100ms) {
    for (const Site& site : sites) send(site, at(passed).now);
  }
  return (allocated() - before) / kBusy;
}

struct Million {
  static constexpr size_t kSites = 1'000'000;
  mx::LimiterTable table;
  std::vector<Site> sites;
  double bytes = 0;       // of a site that sent one message
  double busy_bytes = 0;  // of a site that sent all through an hour
  double longest_ms = 0;  // the longest step of making one
  Duration passed{0};

  Million() {
    const mx::PathLimits limits = usual_limits();
    sites.reserve(kSites);
    const double before = allocated();
    for (size_t i = 0; i < kSites; ++i) {
      const mx::CounterNames names = {"general", "mx1.host" + std::to_string(i) + ".example", "s1"};
      const double began = cpu_ms();
      sites.push_back(
          {table.traffic(names, "", limits, at(passed)), table.standing(names, limits, at(passed))});
      longest_ms = std::max(longest_ms, cpu_ms() - began);
      send(sites.back(), at(passed).now);
    }
    bytes = (allocated() - before) / kSites;
    busy_bytes = bytes_of_a_busy_site();
    while (table.changed()) table.take_changes(at(passed));
  }
};

Million& million() {
  static Million all;
  return all;
}

// Sites whose limits count and let all of it go: every decision is a yes.
std::vector<Site> open_sites(int64_t count) {
  mx::PathLimits limits = usual_limits();
  limits.messages_per_hour = 4'000'000'000;
  limits.rate = {60'000'000, 1min, 100};
  std::vector<Site> sites;
  for (int64_t i = 0; i < count; ++i)
    sites.push_back({std::make_shared<mx::Traffic>(limits), std::make_shared<mx::Standing>(limits)});
  for (const Site& site : sites) send(site, kStart);
  return sites;
}

// What is asked before a connection is opened.
mx::Admission may_open(const Site& site, Instant now) {
  mx::Admission answer = site.standing->may_send(now);
  if (answer.yes) answer = site.standing->may_connect(now);
  return answer.also(site.traffic->may_connect(now)).also(site.traffic->may_send(now));
}

void admission_decision(benchmark::State& state) {
  const std::vector<Site> sites = open_sites(state.range(0));
  conf::Random random(1);
  Instant now = kStart;
  uint64_t yes = 0;
  for (auto _ : state) {
    const mx::Admission answer = may_open(sites[random.below(sites.size())], now += 20us);
    yes += answer.yes ? 1 : 0;
    benchmark::DoNotOptimize(answer);
  }
  state.counters["yes"] = static_cast<double>(yes) / static_cast<double>(state.iterations());
}
MICRO(admission_decision)->Arg(1)->Arg(1'000)->Arg(100'000);

// The same, and the message is charged.
void admission_and_charge(benchmark::State& state) {
  const std::vector<Site> sites = open_sites(state.range(0));
  conf::Random random(1);
  Instant now = kStart;
  uint64_t yes = 0;
  for (auto _ : state) {
    const Site& site = sites[random.below(sites.size())];
    const mx::Admission answer = may_open(site, now += 20us);
    if (answer.yes) site.traffic->charge(now), ++yes;
    benchmark::DoNotOptimize(answer);
  }
  state.counters["yes"] = static_cast<double>(yes) / static_cast<double>(state.iterations());
}
MICRO(admission_and_charge)->Arg(1)->Arg(1'000)->Arg(100'000);

// The whole life of a message in the counters: the decision, the attempt, its outcome.
void admission_and_outcome(benchmark::State& state) {
  const mx::PathLimits limits = usual_limits();
  const Site site = {std::make_shared<mx::Traffic>(limits), std::make_shared<mx::Standing>(limits)};
  Instant now = kStart;
  for (auto _ : state) send(site, now += 100ms);
}
MICRO(admission_and_outcome);

void table_of_a_million_sites(benchmark::State& state) {
  Million& all = million();
  conf::Random random(2);
  const mx::PathLimits limits = usual_limits();
  for (auto _ : state) {
    const size_t i = random.below(Million::kSites);
    const mx::CounterNames names = {"general", "mx1.host" + std::to_string(i) + ".example", "s1"};
    benchmark::DoNotOptimize(all.table.traffic(names, "", limits, at(all.passed)));
  }
  state.counters["bytes_a_site"] = all.bytes;
  state.counters["bytes_a_busy_site"] = all.busy_bytes;
  state.counters["longest_insert_ms"] = all.longest_ms;
}
BENCHMARK(table_of_a_million_sites);

void table_take_changes_1000_of_a_million(benchmark::State& state) {
  Million& all = million();
  conf::Random random(3);
  double longest = 0, written = 0;
  for (auto _ : state) {
    state.PauseTiming();
    all.passed += 2s;
    for (int i = 0; i < 500; ++i) send(all.sites[random.below(all.sites.size())], at(all.passed).now);
    state.ResumeTiming();
    const double began = cpu_ms();
    const auto changes = all.table.take_changes(at(all.passed));
    longest = std::max(longest, cpu_ms() - began);
    written += static_cast<double>(changes.size());
  }
  state.counters["changes"] = written / static_cast<double>(state.iterations());
  state.counters["longest_ms"] = longest;
}
BENCHMARK(table_take_changes_1000_of_a_million)->Unit(benchmark::kMicrosecond)->Iterations(200);

void table_sweep_of_a_million(benchmark::State& state) {
  Million& all = million();
  double longest = 0;
  for (auto _ : state) {
    const double began = cpu_ms();
    all.table.sweep(at(all.passed));
    longest = std::max(longest, cpu_ms() - began);
  }
  state.counters["longest_ms"] = longest;
}
BENCHMARK(table_sweep_of_a_million)->Unit(benchmark::kMicrosecond)->Iterations(1000);

}  // namespace
