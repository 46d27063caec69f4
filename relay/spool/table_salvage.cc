#include "relay/spool/table_salvage.h"

#include <optional>
#include <utility>

#include "conf/vocab/varint.h"
#include "relay/spool/fixed.h"
#include "relay/spool/record.h"

namespace relay::spool {

namespace {

using Kind = TableEntry::Kind;

// RocksDB, db/dbformat.h: what stands behind each key.
constexpr size_t kTrailer = 8;  // the type, and the sequence in seven octets
constexpr uint8_t kDeletion = 0, kPut = 1, kSingleDeletion = 7, kBlobIndex = 0x11;
constexpr size_t kIdSize = 8;
constexpr size_t kMostKey = 4096;

std::optional<uint64_t> read_number(std::string_view in, size_t* at) {
  std::string_view rest = in.substr(*at);
  const std::optional<uint64_t> value = conf::take_varint(&rest);
  *at = in.size() - rest.size();
  return value;
}

// An entry as its head describes it.
struct Framed {
  std::string key;  // with its trailer
  std::string_view value;
  size_t end = 0;  // in the file
};

// `before` is the key of the entry before: an entry leaves out what it shares with it.
std::optional<Framed> frame(std::string_view file, size_t at, const std::string& before) {
  const std::optional<uint64_t> shared = read_number(file, &at);
  if (!shared || *shared > before.size()) return std::nullopt;
  const std::optional<uint64_t> own = read_number(file, &at);
  if (!own) return std::nullopt;
  const std::optional<uint64_t> size = read_number(file, &at);
  if (!size) return std::nullopt;
  if (*own > file.size() - at) return std::nullopt;
  const size_t key_size = *shared + *own;
  if (key_size <= kTrailer || key_size > kMostKey) return std::nullopt;
  if (*size > file.size() - at - *own) return std::nullopt;
  Framed framed;
  framed.key = before.substr(0, *shared);
  framed.key += file.substr(at, *own);
  framed.value = file.substr(at + *own, *size);
  framed.end = at + *own + *size;
  return framed;
}

// What a value is, when it is whole and belongs to its key.
std::optional<Kind> kind_of(const std::string& key, std::string_view value) {
  if (value.size() < kRecordHeaderSize) return std::nullopt;
  const std::optional<conf::MessageId> id = key.size() == kIdSize ? parse_id_key(key) : std::nullopt;
  switch (value.front()) {
    case 'M': {
      if (!id) return std::nullopt;
      const conf::Result<MessageRecord> record = decode_record(value);
      return record.ok() && record.value().id == *id ? std::optional(Kind::kRecord) : std::nullopt;
    }
    case 'B':
      return id && decode_body(*id, value).ok() ? std::optional(Kind::kBody) : std::nullopt;
    case 'S':
      return check_state(key, value).ok() ? std::optional(Kind::kState) : std::nullopt;
    case 'V':
      return decode_value(key, value).ok() ? std::optional(Kind::kValue) : std::nullopt;
    default:
      return std::nullopt;
  }
}

// A record says itself whose it is, so its key is known even when the head of it, or the entry before, is
// spoilt.
std::optional<Framed> frame_by_record(std::string_view file, size_t at) {
  const std::optional<uint64_t> shared = read_number(file, &at);
  const std::optional<uint64_t> own = shared ? read_number(file, &at) : std::nullopt;
  const std::optional<uint64_t> size = own ? read_number(file, &at) : std::nullopt;
  if (!size || *own < kTrailer || *own > kIdSize + kTrailer || *own > file.size() - at) return std::nullopt;
  const size_t begin = at + *own;
  if (*size < kRecordHeaderSize || *size > file.size() - begin || file[begin] != 'M') return std::nullopt;
  const conf::Result<MessageRecord> record = decode_record(file.substr(begin, *size));
  if (!record.ok()) return std::nullopt;
  Framed framed;
  framed.key = id_key(record.value().id);
  framed.key += file.substr(begin - kTrailer, kTrailer);
  framed.value = file.substr(begin, *size);
  framed.end = begin + *size;
  return framed;
}

TableEntry entry_of(const Framed& framed, Kind kind) {
  TableEntry entry;
  const size_t key_size = framed.key.size() - kTrailer;
  entry.key = framed.key.substr(0, key_size);
  entry.sequence = fixed(framed.key, key_size + 1, 7);
  entry.kind = kind;
  if (kind != Kind::kBodyElsewhere && kind != Kind::kRemoved) entry.value = framed.value;
  return entry;
}

// RocksDB, db/blob/blob_index.h: the kind of place, file, offset, size, compression (none).
bool is_place_of_body(std::string_view value) {
  if (value.size() < 5 || value.front() != 1 || value.back() != 0) return false;
  size_t at = 1;
  for (int i = 0; i < 3; ++i) {
    size_t octets = 0;
    while (at < value.size() && static_cast<uint8_t>(value[at++]) >= 0x80 && octets < 10) ++octets;
  }
  return at + 1 == value.size();
}

// A removal has nothing to be verified by: its head must follow a good entry.
std::optional<Kind> kind_of(const Framed& framed, bool follows) {
  const size_t key_size = framed.key.size() - kTrailer;
  switch (static_cast<uint8_t>(framed.key[key_size])) {
    case kPut:
      return kind_of(framed.key.substr(0, key_size), framed.value);
    case kBlobIndex:
      if (key_size != kIdSize || !is_place_of_body(framed.value)) return std::nullopt;
      return Kind::kBodyElsewhere;
    case kDeletion:
    case kSingleDeletion:
      return follows && framed.value.empty() ? std::optional(Kind::kRemoved) : std::nullopt;
    default:
      return std::nullopt;
  }
}

// Where the next block begins, when the `entries` of one end at `at`: behind the list of every 16th entry,
// its length, the compression and the checksum.
std::optional<size_t> next_block(std::string_view file, size_t at, size_t entries) {
  const size_t listed = (entries + 15) / 16;
  const size_t length = at + listed * 4;
  if (entries == 0 || length + 9 > file.size()) return std::nullopt;
  return fixed32(file, length) == listed ? std::optional(length + 9) : std::nullopt;
}

}  // namespace

std::vector<TableEntry> read_table(std::string_view file) {
  std::vector<TableEntry> entries;
  std::string before;
  bool follows = true;  // an entry, or a block, is known to begin here
  size_t in_block = 0;  // entries since the block began, as far as that is known
  for (size_t at = 0; at < file.size();) {
    std::optional<Framed> framed = frame(file, at, before);
    std::optional<Kind> kind = framed ? kind_of(*framed, follows) : std::nullopt;
    if (!kind) {
      if (auto record = frame_by_record(file, at)) {
        framed = std::move(record);
        kind = Kind::kRecord;
      }
    }
    if (kind) {
      entries.push_back(entry_of(*framed, *kind));
      at = framed->end;
      before = std::move(framed->key);
      if (follows) ++in_block;
      follows = true;
      continue;
    }
    if (const auto block = follows ? next_block(file, at, in_block) : std::nullopt) {
      at = *block;
      before.clear();
      in_block = 0;
      continue;
    }
    // Perhaps only the value is spoilt: then the next entry leaves out what it shares with this key.
    if (framed && follows) before = std::move(framed->key);
    follows = false;
    in_block = 0;
    ++at;
  }
  return entries;
}

}  // namespace relay::spool
