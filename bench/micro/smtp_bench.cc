// The protocol cores: commands and replies as they are parsed, content as it is read and written.
#include <string>

#include "bench/micro/micro.h"
#include "bounce/qualifier.h"
#include "bounce/reply.h"
#include "relay/net/out_queue.h"
#include "relay/smtp/command.h"
#include "relay/smtp/data_reader.h"
#include "relay/smtp/data_writer.h"

namespace {

// Lines of 76 octets; every `dots`th begins with a dot (0: none).
std::string content(size_t size, size_t dots) {
  std::string text = "Subject: x\r\n\r\n";
  for (size_t line = 1; text.size() < size; ++line)
    text += (dots > 0 && line % dots == 0 ? "." : "x") + std::string(73, 'x') + "\r\n";
  return text;
}

void parse_mail(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(
        relay::smtp::parse_command("MAIL FROM:<bounce-17@news.example.com> SIZE=10240 BODY=8BITMIME"));
}
MICRO(parse_mail);

void parse_rcpt(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(relay::smtp::parse_command("RCPT TO:<someone@some.example> NOTIFY=FAILURE"));
}
MICRO(parse_rcpt);

void parse_reply(benchmark::State& state) {
  for (auto _ : state) {
    bounce::ReplyParser parser;
    bounce::Reply reply;
    std::string_view input = "250-2.1.5 first line\r\n250 2.1.5 recipient OK\r\n";
    benchmark::DoNotOptimize(parser.feed(&input, &reply).ok());
  }
}
MICRO(parse_reply);

void qualify_refusal(benchmark::State& state) {
  bounce::ReplyParser parser;
  bounce::Reply reply;
  std::string_view input =
      "421-4.7.28 Our system has detected an unusual rate of unsolicited mail originating\r\n"
      "421-4.7.28 from your IP address. To protect our users from spam, mail sent from\r\n"
      "421 4.7.28 your IP address has been temporarily rate limited.\r\n";
  if (!parser.feed(&input, &reply).ok()) return state.SkipWithError("the reply does not parse");
  for (int i = 0; i < 3; ++i)
    benchmark::DoNotOptimize(bounce::qualify(bounce::Stage::kMail, reply));  // compiled
  for (auto _ : state) benchmark::DoNotOptimize(bounce::qualify(bounce::Stage::kMail, reply));
}
MICRO(qualify_refusal);

void read_message_data(benchmark::State& state) {
  using relay::smtp::DataReader;
  const std::string text = content(static_cast<size_t>(state.range(0)), 0) + ".\r\n";
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
MICRO(read_message_data)->Arg(2'000)->Arg(10'000)->Arg(100'000);

void write_message_data(benchmark::State& state) {
  const conf::Bytes body(content(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1))));
  for (auto _ : state) {
    relay::OutQueue out;
    relay::smtp::write_data("DKIM-Signature: v=1\r\n", body, &out);
    benchmark::DoNotOptimize(out.size());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
}
MICRO(write_message_data)->ArgNames({"size", "dots"})->Args({10'000, 0})->Args({10'000, 10});

}  // namespace
