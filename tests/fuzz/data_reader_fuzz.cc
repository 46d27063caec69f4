// A message body in any pieces: the cuts change nothing, what comes out has CRLF line ends only, and what is
// bounded stays so.
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/vocab/check.h"
#include "relay/smtp/data_reader.h"

namespace {

using relay::smtp::DataReader;

struct Seen {
  std::string body;
  bool ended = false;
  DataReader::Fault fault = DataReader::Fault::kNone;
  size_t consumed = 0;
};

Seen read(std::string_view input, size_t piece, DataReader::Framing framing,
          const DataReader::Bounds& bounds) {
  Seen seen;
  DataReader reader(framing, bounds);
  size_t idle = 0;
  while (seen.consumed < input.size() && !seen.ended) {
    const DataReader::Step step = reader.step(input.substr(seen.consumed, piece));
    seen.body += step.body;
    seen.consumed += step.consumed;
    seen.ended = step.ended;
    idle = step.consumed == 0 ? idle + 1 : 0;
    CHECK(idle < 4);  // it goes on
  }
  if (framing == DataReader::Framing::kChunks) seen.body += reader.finish();
  seen.fault = reader.fault();
  CHECK(reader.fault() != DataReader::Fault::kNone || seen.body.size() <= bounds.message_octets + 2);
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  DataReader::Bounds bounds;
  bounds.bare_newline = (data[0] & 1) != 0 ? conf::BareNewline::kConvert : conf::BareNewline::kRefuse;
  bounds.message_octets = (data[0] & 2) != 0 ? 50 : 1'000'000;
  bounds.line_octets = (data[0] & 4) != 0 ? 20 : 65'536;
  const auto framing = (data[0] & 8) != 0 ? DataReader::Framing::kChunks : DataReader::Framing::kDots;
  const Seen whole = read(input, input.size() + 1, framing, bounds);
  const Seen pieces = read(input, 1 + data[1] % 5, framing, bounds);
  // Which of two faults is found first may depend on the cuts; that there is one must not.
  using Fault = DataReader::Fault;
  CHECK((whole.fault == Fault::kNone) == (pieces.fault == Fault::kNone));
  CHECK(whole.ended == pieces.ended && whole.consumed == pieces.consumed);
  if (whole.fault != DataReader::Fault::kNone) return 0;
  CHECK(whole.body == pieces.body);
  for (size_t i = 0; i < whole.body.size(); ++i) {  // no bare CR, no bare LF
    if (whole.body[i] == '\n') CHECK(i > 0 && whole.body[i - 1] == '\r');
    if (whole.body[i] == '\r') CHECK(i + 1 == whole.body.size() || whole.body[i + 1] == '\n');
  }
  return 0;
}
