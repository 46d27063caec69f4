// What a look-up in the quarantine costs at RCPT, with ten million addresses in it, and what they weigh.
#include <malloc.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/micro/micro.h"
#include "bounce/ledger/address_key.h"
#include "bounce/ledger/address_table.h"

namespace {

constexpr uint64_t kRows = 10'000'000;
constexpr bounce::SipKey kKey = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

std::string address(uint64_t number) { return "user" + std::to_string(number) + "@some.example"; }

struct Full {
  bounce::AddressTable table;
  double bytes = 0;
};

const Full& full() {
  static const std::unique_ptr<const Full> made = [] {
    auto fresh = std::make_unique<Full>();
    for (uint64_t i = 0; i < kRows; ++i)
      fresh->table.set(bounce::address_key(kKey, "", address(i)), bounce::AddressStatus::kQuarantine, 1);
    fresh->bytes = static_cast<double>(fresh->table.memory_bytes());
    return fresh;
  }();
  return *made;
}

// `there` per cent of the addresses have a row; none is asked for twice in a row.
void find_in_quarantine(benchmark::State& state) {
  const Full& all = full();
  std::vector<std::string> addresses;
  for (uint64_t i = 0; i < 1 << 16; ++i) {
    const bool there = i % 100 < static_cast<uint64_t>(state.range(0));
    addresses.push_back(address(there ? i * 151 % kRows : kRows + i));
  }
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(all.table.standing(bounce::address_key(kKey, "", addresses[next])));
    next = next + 1 == addresses.size() ? 0 : next + 1;
  }
  state.counters["megabytes"] = all.bytes / 1e6;
}
BENCHMARK(find_in_quarantine)->ArgName("there")->Arg(0)->Arg(5)->Arg(100);

}  // namespace
