// The spool: records in and out of their stored form, checksums, and whole batches.
#include <unistd.h>

#include <filesystem>
#include <string>

#include "bench/micro/micro.h"
#include "relay/spool/crc32c.h"
#include "relay/spool/memory_spool.h"
#include "relay/spool/record.h"
#include "relay/spool/rocks_spool.h"

namespace {

using relay::spool::Spool;

relay::spool::MessageRecord record(conf::MessageId id = 7) {
  relay::spool::MessageRecord out;
  out.id = id;
  out.envelope.reverse_path = conf::Mailbox::parse("sender@some.example").value();
  out.envelope.listener = "local";
  out.envelope.client_address = "192.0.2.1";
  out.recipients.resize(1);
  out.recipients[0].recipient.mailbox = conf::Mailbox::parse("someone@other.example").value();
  return out;
}

void encode_record(benchmark::State& state) {
  const relay::spool::MessageRecord sample = record();
  for (auto _ : state) benchmark::DoNotOptimize(relay::spool::encode_record(sample));
}
MICRO(encode_record);

void decode_record(benchmark::State& state) {
  const std::string stored = relay::spool::encode_record(record());
  for (auto _ : state) benchmark::DoNotOptimize(relay::spool::decode_record(stored).ok());
}
MICRO(decode_record);

void checksum(benchmark::State& state) {
  const std::string text(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(relay::spool::crc32c(text));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
MICRO(checksum)->Arg(10'000)->Arg(1'000'000);

// Stores a batch, waits for the receipts, takes it out again. `carry_out` makes the spool do what waits.
template <typename CarryOut>
void batches(benchmark::State& state, Spool* spool, CarryOut carry_out) {
  const conf::Bytes body(std::string(10'000, 'x'));
  const int64_t size = state.range(0);
  for (auto _ : state) {
    std::vector<conf::MessageId> ids;
    int64_t stored = 0;
    for (int64_t i = 0; i < size; ++i) {
      ids.push_back(spool->next_id({}));
      spool->store(record(ids.back()), body, [&stored](auto receipt) { stored += receipt.ok() ? 1 : 0; });
    }
    carry_out();
    spool->drain_completions();
    if (stored != size) return state.SkipWithError("a store failed");
    for (const conf::MessageId id : ids) spool->remove(id);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * size);
}

void batch_in_memory(benchmark::State& state) {
  relay::spool::MemorySpool spool;
  batches(state, &spool, [&spool] { spool.run_batch(); });
}
MICRO(batch_in_memory)->Arg(16);

// By the clock only: how requests gather into batches is up to the threads. In the working directory.
void batch_on_disk(benchmark::State& state) {
  conf::SpoolSettings settings;
  settings.path = "penstock-micro-spool." + std::to_string(getpid());
  settings.reserve_bytes = 0;
  {
    auto opened = relay::spool::RocksSpool::open(settings);
    if (!opened.ok()) return state.SkipWithError(opened.error().detail.c_str());
    Spool* spool = opened.value().get();
    batches(state, spool, [spool] { spool->flush(); });
  }
  std::filesystem::remove_all(settings.path);
}
BENCHMARK(batch_on_disk)->Arg(1)->Arg(16)->Arg(256)->UseRealTime();

}  // namespace
