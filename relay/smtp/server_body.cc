#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "conf/limits.h"
#include "conf/vocab/check.h"
#include "relay/smtp/server_state.h"

namespace relay::smtp {

namespace {
bool has_high_octet(std::string_view bytes) {
  uint64_t seen = 0;
  size_t i = 0;
  for (; i + 32 <= bytes.size(); i += 32) {  // four words at a time: -O2 alone would look at single octets
    uint64_t words[4];
    std::memcpy(words, bytes.data() + i, sizeof words);
    seen |= words[0] | words[1] | words[2] | words[3];
  }
  for (; i < bytes.size(); ++i) seen |= static_cast<unsigned char>(bytes[i]);
  return (seen & 0x8080808080808080ULL) != 0;
}

enum class Front : uint8_t { kUndecided, kMailboxLine, kOther };

// What the first octets of a body begin: "From sender", with or without ">", is a line of a mailbox file, and
// "From :" is a field (RFC 5322 §4.5.2).
Front begun_by(std::string_view front) {
  constexpr std::string_view kFrom = "From ";
  constexpr size_t kMostBlanks = 100;
  if (front.starts_with('>')) front.remove_prefix(1);
  const std::string_view known = front.substr(0, kFrom.size());
  if (known != kFrom.substr(0, known.size())) return Front::kOther;
  const size_t word = front.find_first_not_of(" \t", kFrom.size());
  if (word != std::string_view::npos) return front[word] == ':' ? Front::kOther : Front::kMailboxLine;
  return front.size() > kMostBlanks ? Front::kMailboxLine : Front::kUndecided;
}
}  // namespace

void ServerSession::State::begin_body(DataReader::Framing framing, conf::Instant now) {
  DataReader::Bounds bounds;
  bounds.bare_newline = listener.bare_newline;
  bounds.message_octets = listener.max_message_bytes;
  bounds.line_octets = listener.max_line_bytes;
  bounds.lf_only = lf_only && framing == DataReader::Framing::kDots;
  reader = DataReader(framing, bounds);
  header = HeaderScan();
  eight_bit = false;
  front_over = false;
  front.clear();
  body_open = true;
  wasted_octets = 0;
  message_deadline = now + listener.message_timeout;
  emit(ServerEvent::Kind::kBeginMessage);
}

// A message out of a mailbox file begins with "From sender date", which is no field: what follows would be no
// header. As a field of its own it does no harm, and nothing is lost.
void ServerSession::State::give_body(std::string_view bytes) {
  while (!front_over && !bytes.empty()) {
    front += bytes.front();
    const Front begun = begun_by(front);
    if (begun == Front::kUndecided) {
      bytes.remove_prefix(1);
      continue;
    }
    front.pop_back();
    if (begun == Front::kMailboxLine) pass_body("X-Mailbox-Line: ");
    close_front();
  }
  pass_body(bytes);
}

void ServerSession::State::close_front() {
  if (!std::exchange(front_over, true)) pass_body(front);
}

void ServerSession::State::pass_body(std::string_view bytes) {
  if (!bytes.empty() && std::memchr(bytes.data(), 0, bytes.size()) != nullptr) {
    if (listener.nul == conf::NulOctets::kRefuse) reader.refuse(DataReader::Fault::kNul);
    without_nul.assign(bytes);
    std::ranges::replace(without_nul, '\0', ' ');
    bytes = without_nul;
  }
  if (!bytes.empty()) {
    if (!header.over()) {
      header.feed(bytes);
      if (header.hops() >= listener.max_hops) reader.refuse(DataReader::Fault::kTooManyHops);
      if (header.octets() > conf::limits::kHeaderOctets) reader.refuse(DataReader::Fault::kLongHeader);
    }
    if (!eight_bit) eight_bit = has_high_octet(bytes);
  }
  if (reader.fault() != DataReader::Fault::kNone) return abort_body();
  if (!bytes.empty()) emit(ServerEvent::Kind::kBody, bytes);
}

void ServerSession::State::abort_body() {
  if (!body_open) return;
  body_open = false;
  emit(ServerEvent::Kind::kAbortMessage);
}

// A body of dots or of empty lines costs most; 10 KB of common text cost two units or three.
void ServerSession::State::charge_body(uint32_t lines) {
  constexpr uint32_t kPartsOfUnit = 16, kLinesOfPart = 4;
  body_cost += 1 + lines / kLinesOfPart;
  cost = body_cost / kPartsOfUnit;
  body_cost %= kPartsOfUnit;
}

void ServerSession::State::read_data(conf::Instant now) {
  const DataReader::Step step = reader.step(input.front());
  input.consume(step.consumed);
  charge_body(step.lines);
  arm(now);
  give_body(step.body);
  if (reader.fault() != DataReader::Fault::kNone && waste(step.consumed)) return;
  if (reader.ambiguous_end()) {
    // The client believes that its message ended here; what follows could be commands or text. Neither is
    // safe.
    trouble(conf::DoorReason::kBareNewline, "end of message");
    return close("521 5.6.11 bare newline before the end of the message, closing");
  }
  if (step.ended) body_done(now);
}

void ServerSession::State::bdat(const Command& command, conf::Instant now) {
  if (!command.error.empty()) {  // how many octets follow is not known: nothing after this can be trusted
    return close(command.error);
  }
  if (phase == Phase::kGreeted || phase == Phase::kReady) {
    return skip_chunk(command, "503 5.5.1 MAIL and RCPT are wanted first", now);
  }
  if (phase == Phase::kMail) return skip_chunk(command, "554 5.5.1 no valid recipients", now);
  const bool first = phase == Phase::kRecipients;
  if (first) begin_body(DataReader::Framing::kChunks, now);
  go(Phase::kChunk);
  chunk_left = chunk_octets = command.chunk_octets;
  chunk_last = command.chunk_last;
  const uint64_t room =
      listener.max_message_bytes - std::min(reader.body_octets(), listener.max_message_bytes);
  if (chunk_octets > room) {
    reader.refuse(DataReader::Fault::kTooBig);
    give_body({});
    if (waste(chunk_octets - room)) return;
  }
  arm(now);
  if (chunk_left == 0) chunk_done(now);
}

void ServerSession::State::skip_chunk(const Command& command, std::string_view answer, conf::Instant now) {
  if (waste(command.chunk_octets)) return;
  after_swallow = phase;
  swallow_reply = std::string(answer);
  chunk_left = command.chunk_octets;
  message_deadline = now + listener.message_timeout;
  go(Phase::kSwallow);
  arm(now);
  if (chunk_left == 0) swallow(now);
}

// As much as a message may have: then a client that only wants to be read must come again.
bool ServerSession::State::waste(uint64_t octets) {
  wasted_octets += std::min(octets, UINT64_MAX - wasted_octets);
  constexpr uint64_t kAlways = 1 << 20;
  if (wasted_octets <= std::max<uint64_t>(listener.max_message_bytes, kAlways)) return false;
  abort_body();
  trouble(conf::DoorReason::kMessageRefused, "552 5.3.4");
  close(fmt::format("552 5.3.4 far more than the limit of {} octets, closing", listener.max_message_bytes));
  return true;
}

void ServerSession::State::swallow(conf::Instant now) {
  const size_t count = static_cast<size_t>(std::min<uint64_t>(chunk_left, input.front().size()));
  input.consume(count);
  chunk_left -= count;
  arm(now);
  if (chunk_left != 0) return;
  go(after_swallow);
  // The refusal before it was counted already: RFC 3030 §2 has the client send the rest of a pipeline all the
  // same.
  if (transaction_refused || phase == Phase::kMail) return reply(swallow_reply);
  reply_error(swallow_reply, now);
}

void ServerSession::State::read_chunk(conf::Instant now) {
  const std::string_view run = input.front();
  const DataReader::Step step =
      reader.step(run.substr(0, static_cast<size_t>(std::min<uint64_t>(chunk_left, run.size()))));
  input.consume(step.consumed);
  chunk_left -= step.consumed;
  charge_body(step.lines);
  arm(now);
  give_body(step.body);
  if (chunk_left == 0) chunk_done(now);
}

void ServerSession::State::chunk_done(conf::Instant now) {
  if (chunk_last) give_body(reader.finish());
  if (reader.fault() != DataReader::Fault::kNone || chunk_last) return body_done(now);
  go(Phase::kChunkGap);
  reply(fmt::format("250 2.0.0 {} octets received", chunk_octets));
  arm(now);
  if (shutting_down) close("421 4.3.2 " + config.hostname + " shutting down");
}

namespace {

// "550 5.6.11" of a whole reply.
std::string code_and_status(const std::string& reply) {
  return reply.substr(0, reply.find(' ', std::min<size_t>(4, reply.size())));
}

}  // namespace

void ServerSession::State::body_done(conf::Instant now) {
  close_front();
  if (reader.fault() != DataReader::Fault::kNone) {
    const bool more_follows = phase == Phase::kChunk && !chunk_last;
    reset_transaction();
    transaction_refused = more_follows;
    const bool newline = reader.fault() == DataReader::Fault::kBareNewline;
    trouble(newline ? conf::DoorReason::kBareNewline : conf::DoorReason::kMessageRefused,
            code_and_status(fault_reply()));
    reply_error(fault_reply(), now);
    if (shutting_down) close("421 4.3.2 " + config.hostname + " shutting down");
    return;
  }
  body_open = false;
  if (eight_bit)
    envelope.body = conf::BodyType::k8BitMime;  // senders forget BODY; the next hop must know the truth
  go(Phase::kOffered);
  arm(now);
  emit(ServerEvent::Kind::kMessage);
}

std::string ServerSession::State::fault_reply() const {
  switch (reader.fault()) {
    case DataReader::Fault::kNone:
      break;
    case DataReader::Fault::kBareNewline:
      return "550 5.6.11 bare LF or CR in the message: lines end in CRLF";
    case DataReader::Fault::kTooBig:
      return fmt::format("552 5.3.4 message too big, the limit is {}", listener.max_message_bytes);
    case DataReader::Fault::kLongLine:
      return fmt::format("554 5.6.0 a line of the message is longer than {} octets", listener.max_line_bytes);
    case DataReader::Fault::kNul:
      return "550 5.6.0 the message holds NUL octets (RFC 5322 section 4)";
    case DataReader::Fault::kLongHeader:
      return fmt::format("554 5.6.0 the header of the message is longer than {} octets",
                         conf::limits::kHeaderOctets);
    case DataReader::Fault::kTooManyHops:
      return "554 5.4.6 too many hops: the message is in a loop";
  }
  CHECK(false);
}

}  // namespace relay::smtp
