// The inner loops of the relay, one at a time: build/release/bin/penstock-micro [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bounce/reply.h"
#include "conf/vocab/random.h"
#include "relay/deadlines.h"
#include "relay/queue/scheduled.h"
#include "relay/smtp/command.h"
#include "relay/smtp/data_reader.h"
#include "relay/spool/crc32c.h"
#include "relay/spool/record.h"

namespace {

std::string message(size_t size) {
  std::string text = "Subject: x\r\n\r\n";
  while (text.size() < size) text += std::string(74, 'x') + "\r\n";
  return text + ".\r\n";
}

void read_message_data(benchmark::State& state) {
  using relay::smtp::DataReader;
  const std::string text = message(static_cast<size_t>(state.range(0)));
  DataReader::Bounds bounds;
  bounds.message_octets = 1 << 30;
  bounds.line_octets = 65'536;
  for (auto _ : state) {
    DataReader reader(DataReader::Framing::kDots, bounds);
    std::string_view left = text;
    std::string body;
    body.reserve(text.size());
    for (;;) {
      const DataReader::Step step = reader.step(left);
      body += step.body;
      left.remove_prefix(step.consumed);
      if (step.ended) break;
    }
    benchmark::DoNotOptimize(body);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(read_message_data)->Arg(2'000)->Arg(10'000)->Arg(100'000);

void parse_rcpt(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(relay::smtp::parse_command("RCPT TO:<someone@some.example> NOTIFY=FAILURE"));
  }
}
BENCHMARK(parse_rcpt);

void parse_reply(benchmark::State& state) {
  for (auto _ : state) {
    bounce::ReplyParser parser;
    bounce::Reply reply;
    std::string_view input = "250-2.1.5 first line\r\n250 2.1.5 recipient OK\r\n";
    benchmark::DoNotOptimize(parser.feed(&input, &reply).ok());
  }
}
BENCHMARK(parse_reply);

relay::spool::MessageRecord record() {
  relay::spool::MessageRecord out;
  out.id = 7;
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
BENCHMARK(encode_record);

void decode_record(benchmark::State& state) {
  const std::string stored = relay::spool::encode_record(record());
  for (auto _ : state) benchmark::DoNotOptimize(relay::spool::decode_record(stored).ok());
}
BENCHMARK(decode_record);

void checksum(benchmark::State& state) {
  const std::string text = message(static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(relay::spool::crc32c(text));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(checksum)->Arg(10'000)->Arg(1'000'000);

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
BENCHMARK(schedule_and_pop)->Arg(1'000)->Arg(1'000'000);

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
BENCHMARK(move_deadlines)->Arg(10'000);

}  // namespace
