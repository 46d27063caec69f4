#include "relay/spool/record.h"

#include <limits>
#include <memory>
#include <optional>

#include "conf/vocab/packed.h"
#include "relay/spool/crc32c.h"
#include "relay/spool/fixed.h"

namespace relay::spool {
namespace {

constexpr char kRecordLetter = 'M';
constexpr char kBodyLetter = 'B';
constexpr char kValueLetter = 'V';
constexpr char kStateLetter = 'S';
// The fewest bytes a recipient takes: eleven fields of one byte. Bounds what a hostile count can make us
// reserve.
constexpr size_t kRecipientMinBytes = 11;
// The state of a recipient, and beside it.
constexpr uint64_t kStateMask = 7, kDelayTold = 8, kHeld = 16, kBlamed = 32, kGreylisted = 64;

enum Flags : uint64_t {
  kOnHold = 1,
  kSmtpUtf8 = 2,
  kEightBit = 4,
  kRetShift = 3,
  kRetMask = 3,
  kMandated = 32,
  kHasHeader = 64,
  kHasStream = 128,
  kAllFlags = 255
};

void put_fixed32(char* place, uint32_t value) {
  for (int i = 0; i < 4; ++i) place[i] = static_cast<char>(value >> (8 * i));
}

conf::Error corrupt(std::string why) { return conf::Error{conf::ErrorCode::kCorrupt, std::move(why)}; }

// Letter and version. What follows the header is covered by the checksum, the header by these tests.
std::optional<conf::Error> header_error(std::string_view stored, char letter, std::string_view noun) {
  if (stored.size() >= kRecordHeaderSize && stored[0] == letter &&
      static_cast<unsigned char>(stored[1]) == kRecordVersion)
    return std::nullopt;
  const std::string name(noun);
  if (stored.size() < kRecordHeaderSize) return corrupt(name + " is cut short: no room for its header");
  if (stored[0] != letter) return corrupt(name + " does not begin with its letter");
  return corrupt(name + " has the unknown version " + std::to_string(static_cast<unsigned char>(stored[1])));
}

void write_mailbox(conf::PackedWriter* out, const conf::Mailbox& mailbox) {
  out->text(mailbox.local);
  out->text(mailbox.domain.text());
}

void read_mailbox(conf::PackedReader* in, conf::Mailbox* mailbox) {
  mailbox->local = in->text();
  mailbox->domain = conf::Domain::from_canonical(std::string(in->text()));
}

// What changes of a recipient.
void write_state(conf::PackedWriter* out, const RecipientRecord& r) {
  out->number(static_cast<uint64_t>(r.state) | (r.delay_told ? kDelayTold : 0) | (r.held ? kHeld : 0) |
              (r.blamed ? kBlamed : 0) | (r.greylisted_from.empty() ? 0 : kGreylisted));
  out->number(r.attempts);
  out->number(r.reply_code);
  out->text(r.enhanced_status);
  out->text(std::string_view(r.last_reply).substr(0, kLastReplyMaxBytes));
  out->text(r.mx_host);
  if (!r.greylisted_from.empty()) out->text(r.greylisted_from);
  out->signed_number(conf::unix_micros(r.due));
}

void read_state(conf::PackedReader* in, RecipientRecord* r) {
  const uint64_t state = in->number(kStateMask | kDelayTold | kHeld | kBlamed | kGreylisted);
  if ((state & kStateMask) > static_cast<uint64_t>(RecipientState::kDropped)) in->fail();
  r->state = static_cast<RecipientState>(state & kStateMask);
  r->delay_told = (state & kDelayTold) != 0;
  r->held = (state & kHeld) != 0;
  r->blamed = (state & kBlamed) != 0;
  r->attempts = static_cast<uint16_t>(in->number(std::numeric_limits<uint16_t>::max()));
  r->reply_code = static_cast<uint16_t>(in->number(std::numeric_limits<uint16_t>::max()));
  r->enhanced_status = in->text();
  r->last_reply = in->text();
  r->mx_host = in->text();
  r->greylisted_from = (state & kGreylisted) != 0 ? in->text() : std::string_view();
  r->due = conf::from_unix_micros(in->signed_number());
}

void write_recipient(conf::PackedWriter* out, const RecipientRecord& r) {
  write_mailbox(out, r.recipient.mailbox);
  out->number(r.recipient.notify);
  out->text(r.recipient.orcpt);
  write_state(out, r);
}

void read_recipient(conf::PackedReader* in, RecipientRecord* r) {
  read_mailbox(in, &r->recipient.mailbox);
  r->recipient.notify = static_cast<uint8_t>(in->number(std::numeric_limits<uint8_t>::max()));
  r->recipient.orcpt = in->text();
  read_state(in, r);
}

void write_header(conf::PackedWriter* out, const conf::LoggedHeader& header) {
  out->text(header.message_id);
  out->number(header.fields.size());
  for (const auto& [name, value] : header.fields) {
    out->text(name);
    out->text(value);
  }
}

conf::LoggedHeaderPtr read_header(conf::PackedReader* in) {
  auto header = std::make_shared<conf::LoggedHeader>();
  header->message_id = in->text();
  const uint64_t count = in->number(conf::LoggedHeader::kMostFields);
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    const std::string_view name = in->text();
    header->fields.emplace_back(name, in->text());
  }
  return header;
}

uint64_t flags_of(const MessageRecord& record) {
  uint64_t flags = static_cast<uint64_t>(record.envelope.ret) << kRetShift;
  if (record.on_hold) flags |= kOnHold;
  if (record.envelope.smtputf8) flags |= kSmtpUtf8;
  if (record.envelope.body == conf::BodyType::k8BitMime) flags |= kEightBit;
  if (record.envelope.mandated) flags |= kMandated;
  if (record.header != nullptr) flags |= kHasHeader;
  if (!record.stream.empty()) flags |= kHasStream;
  return flags;
}

void apply_flags(uint64_t flags, conf::PackedReader* in, MessageRecord* record) {
  const uint64_t ret = (flags >> kRetShift) & kRetMask;
  if (ret > static_cast<uint64_t>(conf::Ret::kHeaders)) return in->fail();
  record->envelope.ret = static_cast<conf::Ret>(ret);
  record->on_hold = (flags & kOnHold) != 0;
  record->envelope.smtputf8 = (flags & kSmtpUtf8) != 0;
  record->envelope.mandated = (flags & kMandated) != 0;
  record->envelope.body = (flags & kEightBit) != 0 ? conf::BodyType::k8BitMime : conf::BodyType::k7Bit;
}

}  // namespace

std::string encode_record(const MessageRecord& record) {
  std::string out;
  out.reserve(128 + 128 * record.recipients.size());  // what most records take: one allocation
  out.assign({kRecordLetter, static_cast<char>(kRecordVersion), 0, 0, 0, 0});
  conf::PackedWriter writer(&out);
  writer.number(record.id);
  writer.signed_number(conf::unix_micros(record.accepted_at));
  writer.number(flags_of(record));
  writer.number(record.size_bytes);
  writer.number(record.report_about);
  write_mailbox(&writer, record.envelope.reverse_path);
  writer.text(record.envelope.envid);
  writer.text(record.envelope.listener);
  writer.text(record.envelope.client_address);
  writer.text(record.envelope.client_name);
  writer.text(record.envelope.authenticated_as);
  if (record.header != nullptr) write_header(&writer, *record.header);
  if (!record.stream.empty()) writer.text(record.stream);
  writer.number(record.recipients.size());
  for (const RecipientRecord& recipient : record.recipients) write_recipient(&writer, recipient);
  put_fixed32(out.data() + 2, crc32c(std::string_view(out).substr(kRecordHeaderSize)));
  return out;
}

conf::Result<MessageRecord> decode_record(std::string_view stored) {
  if (auto error = header_error(stored, kRecordLetter, "record")) return *error;
  const std::string_view payload = stored.substr(kRecordHeaderSize);
  if (crc32c(payload) != fixed32(stored, 2)) return corrupt("record fails its checksum");
  conf::PackedReader in(payload);
  MessageRecord record;
  record.id = in.number();
  record.accepted_at = conf::from_unix_micros(in.signed_number());
  const uint64_t flags = in.number(kAllFlags);
  apply_flags(flags, &in, &record);
  record.size_bytes = in.number();
  record.report_about = in.number();
  read_mailbox(&in, &record.envelope.reverse_path);
  record.envelope.envid = in.text();
  record.envelope.listener = in.text();
  record.envelope.client_address = in.text();
  record.envelope.client_name = in.text();
  record.envelope.authenticated_as = in.text();
  if ((flags & kHasHeader) != 0) record.header = read_header(&in);
  if ((flags & kHasStream) != 0) record.stream = in.text();
  const uint64_t count = in.number();
  if (count > in.rest().size() / kRecipientMinBytes)
    return corrupt("record has fewer recipients than it says");
  record.recipients.reserve(count);
  for (uint64_t i = 0; i < count && in.ok(); ++i) read_recipient(&in, &record.recipients.emplace_back());
  if (!in.ok()) return corrupt("record is malformed though its checksum holds");
  if (!in.ended()) return corrupt("record has bytes after its end");
  return record;
}

std::string state_key(conf::MessageId id, uint32_t part) {
  std::string key = id_key(id);
  for (int i = 0; i < 4; ++i) key.push_back(static_cast<char>(part >> (24 - 8 * i)));
  return key;
}

std::string encode_state(std::string_view key, const MessageRecord& record, RecipientSpan recipients) {
  std::string out{kStateLetter, static_cast<char>(kRecordVersion), 0, 0, 0, 0};
  conf::PackedWriter writer(&out);
  writer.number(recipients.size());
  for (const uint32_t index : recipients) {
    writer.number(index);
    write_state(&writer, record.recipients[index]);
  }
  put_fixed32(out.data() + 2, crc32c(std::string_view(out).substr(kRecordHeaderSize), crc32c(key)));
  return out;
}

std::string encode_hold(std::string_view key, bool on_hold) {
  std::string out{kStateLetter, static_cast<char>(kRecordVersion), 0, 0, 0, 0, on_hold ? '\1' : '\0'};
  put_fixed32(out.data() + 2, crc32c(std::string_view(out).substr(kRecordHeaderSize), crc32c(key)));
  return out;
}

conf::Status check_state(std::string_view key, std::string_view stored) {
  if (key.size() != kStateKeySize) return corrupt("state of another message");
  if (auto error = header_error(stored, kStateLetter, "state")) return *error;
  if (crc32c(stored.substr(kRecordHeaderSize), crc32c(key)) != fixed32(stored, 2))
    return corrupt("state fails its checksum");
  return conf::success();
}

conf::Status apply_state(std::string_view key, std::string_view stored, MessageRecord* record) {
  if (key.substr(0, 8) != id_key(record->id)) return corrupt("state of another message");
  if (conf::Status whole = check_state(key, stored); !whole.ok()) return whole;
  conf::PackedReader in(stored.substr(kRecordHeaderSize));
  if (key.substr(8) == std::string_view(state_key(0, kHoldPart)).substr(8)) {
    record->on_hold = in.number(1) == 1;
  } else {
    const uint64_t count = in.number();
    for (uint64_t i = 0; i < count && in.ok(); ++i) {
      const uint64_t index = in.number();
      if (!in.ok() || index >= record->recipients.size())
        return corrupt("state of a recipient that is not there");
      read_state(&in, &record->recipients[index]);
    }
  }
  return in.ok() && in.ended() ? conf::success() : conf::Status(corrupt("state is malformed"));
}

BodyHeader body_header(conf::MessageId id, std::string_view body) {
  BodyHeader header{kBodyLetter, static_cast<char>(kRecordVersion)};
  put_fixed32(header.data() + 2, crc32c(body, crc32c(id_key(id))));
  return header;
}

conf::Result<std::string_view> decode_body(conf::MessageId id, std::string_view stored) {
  if (auto error = header_error(stored, kBodyLetter, "body")) return *error;
  const std::string_view body = stored.substr(kRecordHeaderSize);
  if (crc32c(body, crc32c(id_key(id))) != fixed32(stored, 2)) {
    return corrupt("body fails its checksum");
  }
  return body;
}

std::string encode_value(std::string_view key, std::string_view value) {
  std::string out{kValueLetter, static_cast<char>(kRecordVersion), 0, 0, 0, 0};
  put_fixed32(out.data() + 2, crc32c(value, crc32c(key)));
  out.append(value);
  return out;
}

conf::Result<std::string_view> decode_value(std::string_view key, std::string_view stored) {
  if (auto error = header_error(stored, kValueLetter, "value")) return *error;
  const std::string_view value = stored.substr(kRecordHeaderSize);
  if (crc32c(value, crc32c(key)) != fixed32(stored, 2)) return corrupt("value fails its checksum");
  return value;
}

std::string id_key(conf::MessageId id) {
  std::string key(8, '\0');
  for (int i = 0; i < 8; ++i) key[i] = static_cast<char>(id >> (56 - 8 * i));
  return key;
}

std::optional<conf::MessageId> parse_id_key(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  conf::MessageId id = 0;
  for (const char c : key) id = id << 8 | static_cast<unsigned char>(c);
  return id;
}

}  // namespace relay::spool
