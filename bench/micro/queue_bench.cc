// The queue: due times, deadlines, and the tables that a delivery is looked up in.
#include <memory>
#include <string>
#include <vector>

#include "bench/micro/micro.h"
#include "conf/vocab/random.h"
#include "relay/flow/path_choice.h"
#include "relay/flow/site_table.h"
#include "relay/net/deadlines.h"
#include "relay/queue/domain_table.h"
#include "relay/queue/scheduled.h"

namespace {

void schedule_and_pop(benchmark::State& state) {
  conf::Random random(1);
  relay::queue::Scheduled heap;
  std::vector<std::unique_ptr<relay::queue::Delivery>> all;
  for (int64_t i = 0; i < state.range(0); ++i) {
    all.push_back(std::make_unique<relay::queue::Delivery>());
    all.back()->due = conf::Instant(conf::Duration(random.below(1'000'000)));
    heap.push(all.back().get());
  }
  for (auto _ : state) {
    relay::queue::Delivery* first = heap.pop_due(conf::kNever);
    first->due += conf::Duration(1'000'000);
    heap.push(first);
  }
}
MICRO(schedule_and_pop)->Arg(1'000)->Arg(1'000'000);

void move_deadlines(benchmark::State& state) {
  relay::Deadlines deadlines;
  std::vector<relay::Deadline> all(static_cast<size_t>(state.range(0)));
  conf::Instant now(conf::Duration(0));
  size_t next = 0;
  for (auto _ : state) {
    now += conf::Duration(1);
    deadlines.set(&all[next], now + conf::Duration(300'000'000));
    next = next + 1 == all.size() ? 0 : next + 1;
    benchmark::DoNotOptimize(deadlines.pop(now));
  }
}
MICRO(move_deadlines)->Arg(10'000);

std::vector<conf::Domain> domains(int64_t count) {
  std::vector<conf::Domain> out;
  for (int64_t i = 0; i < count; ++i)
    out.push_back(conf::Domain::from_canonical("d" + std::to_string(i) + ".example"));
  return out;
}

// A delivery comes to a known domain and leaves it.
void intern_domain(benchmark::State& state) {
  const std::vector<conf::Domain> names = domains(state.range(0));
  relay::queue::DomainTable table;
  for (const conf::Domain& name : names) table.intern(name);
  size_t next = 0;
  for (auto _ : state) {
    table.release(table.intern(names[next]));
    next = next + 7 < names.size() ? next + 7 : 0;
  }
}
MICRO(intern_domain)->Arg(1'000)->Arg(100'000);

void find_path(benchmark::State& state) {
  conf::Random random(1);
  auto config = std::make_shared<conf::Config>();
  config->sources.resize(2);
  config->sources[0].name = "a";
  config->sources[0].address = "192.0.2.1";
  config->sources[1].name = "b";
  config->sources[1].address = "192.0.2.2";
  config->sources[1].weight = 3;
  const conf::SystemClock clock;
  relay::queue::DomainTable table;
  relay::queue::SiteTable sites(config, nullptr, &clock);
  const relay::queue::PathChoice choice(&sites, &random);
  std::vector<relay::queue::DomainEntry*> entries;
  for (const conf::Domain& name : domains(state.range(0))) {
    auto route = std::make_shared<mx::Route>();
    route->kind = mx::Route::Kind::kHosts;
    route->site = "mx." + name.text();
    route->hosts.push_back({route->site, 10, 25, {"198.51.100.1"}});
    entries.push_back(&table.at(table.intern(name)));
    entries.back()->route = route;
    entries.back()->settings = conf::settings_in(config, name.text());
  }
  for (relay::queue::DomainEntry* entry : entries) choice.choose(entry);
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(choice.choose(entries[next]));
    next = next + 7 < entries.size() ? next + 7 : 0;
  }
}
MICRO(find_path)->Arg(1'000)->Arg(100'000);

}  // namespace
