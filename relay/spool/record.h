// How a message stands on disk: its record ("meta") and its body, each with a version and a checksum. The
// format is in docs/spool.md. Pure; any bytes may be given to the decoders: what is not ours gives kCorrupt,
// never harm.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "conf/vocab/result.h"
#include "relay/spool/spool.h"

namespace relay::spool {

inline constexpr uint8_t kRecordVersion = 1;
inline constexpr size_t kRecordHeaderSize = 6;     // letter, version, CRC-32C little-endian
inline constexpr size_t kLastReplyMaxBytes = 512;  // spool.h: last_reply is bounded; longer ones are cut here
using BodyHeader = std::array<char, kRecordHeaderSize>;

// envelope.recipients is not written: `recipients` has them.
std::string encode_record(const MessageRecord& record);
conf::Result<MessageRecord> decode_record(std::string_view stored);

// What became of the recipients of one delivery since the message was accepted, and whether it is on hold.
// Each has a key of its own: that of the message and a part, four bytes, most significant first; the part of
// a delivery is the index of its first recipient.
inline constexpr uint32_t kHoldPart = 0xffffffff;
inline constexpr size_t kStateKeySize = 12;
std::string state_key(conf::MessageId id, uint32_t part);
std::string encode_state(std::string_view key, const MessageRecord& record, RecipientSpan recipients);
std::string encode_hold(std::string_view key, bool on_hold);
// Whether it is whole and belongs to its key; kCorrupt.
conf::Status check_state(std::string_view key, std::string_view stored);
// Puts it into the record, which may be changed in part when it is kCorrupt.
conf::Status apply_state(std::string_view key, std::string_view stored, MessageRecord* record);

// What stands before the body. Apart from it, so that the body is copied once only, into the log of the
// store.
BodyHeader body_header(conf::MessageId id, std::string_view body);
// The body inside `stored`. The checksum covers the id too: the body of another message is kCorrupt.
conf::Result<std::string_view> decode_body(conf::MessageId id, std::string_view stored);

// A kept value. The checksum covers the key too: the value of another key is kCorrupt.
std::string encode_value(std::string_view key, std::string_view value);
// The value inside `stored`.
conf::Result<std::string_view> decode_value(std::string_view key, std::string_view stored);

// Keys: eight bytes, big-endian, so that the order of bytes is the order of ids.
std::string id_key(conf::MessageId id);
std::optional<conf::MessageId> parse_id_key(std::string_view key);

}  // namespace relay::spool
