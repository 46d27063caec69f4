// The fair queue of a path: one delivery in, one out, with so many domains and senders waiting.

#include <memory>
#include <vector>

#include "bench/micro/micro.h"
#include "conf/vocab/random.h"
#include "relay/queue/ready.h"

namespace {

using relay::queue::Delivery;
using relay::queue::ReadyQueue;

constexpr int64_t kWaiting = 100'000;

// Args: domains, senders.
void pop_and_push(benchmark::State& state) {
  conf::Random random(1);
  std::vector<std::unique_ptr<Delivery>> all;
  ReadyQueue queue;
  for (int64_t i = 0; i < kWaiting; ++i) {
    all.push_back(std::make_unique<Delivery>());
    all.back()->domain = static_cast<uint32_t>(random.below(static_cast<uint64_t>(state.range(0))));
    all.back()->sender = static_cast<uint32_t>(random.below(static_cast<uint64_t>(state.range(1))));
    queue.push_back(all.back().get());
  }
  for (auto _ : state) queue.push_back(queue.pop_front());
}
MICRO(pop_and_push)->Args({1, 1})->Args({10, 100})->Args({1'000, 1'000});

// A queue that is empty most of the time: each delivery makes its flow and ends it.
void one_at_a_time(benchmark::State& state) {
  Delivery delivery;
  ReadyQueue queue;
  for (auto _ : state) {
    queue.push_back(&delivery);
    benchmark::DoNotOptimize(queue.pop_front());
  }
}
MICRO(one_at_a_time);

}  // namespace
