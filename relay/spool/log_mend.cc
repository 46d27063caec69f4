#include "relay/spool/log_mend.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "relay/spool/crc32c.h"
#include "relay/spool/fixed.h"
#include "relay/spool/record.h"

namespace relay::spool {

namespace {

// RocksDB, db/log_format.h.
constexpr size_t kBlock = 32768;
constexpr size_t kHeader = 7;                        // checksum, length, type
constexpr uint8_t kFull = 1, kFirst = 2, kLast = 4;  // 3: neither
constexpr size_t kBatchHeader = 12;                  // sequence and count, db/write_batch.cc
constexpr char kLogData = 3;                         // an entry that says nothing, db/dbformat.h

uint8_t octet(std::string_view in, size_t at) { return static_cast<uint8_t>(in[at]); }

uint32_t unmasked(uint32_t crc) {
  const uint32_t rotated = crc - 0xa282ead8U;
  return (rotated >> 17) | (rotated << 15);
}

size_t left_in_block(size_t at) { return kBlock - at % kBlock; }
size_t length_at(std::string_view file, size_t at) { return octet(file, at + 4) | octet(file, at + 5) << 8; }

// Whether a whole record stands there, as its frame says.
bool framed(std::string_view file, size_t at) {
  if (at + kHeader > file.size() || left_in_block(at) < kHeader) return false;
  const size_t length = length_at(file, at);
  const uint8_t type = octet(file, at + 6);
  return type >= kFull && type <= kLast && kHeader + length <= left_in_block(at) &&
         at + kHeader + length <= file.size();
}

bool good(std::string_view file, size_t at) {
  return framed(file, at) &&
         masked(crc32c(file.substr(at + 6, 1 + length_at(file, at)))) == fixed32(file, at);
}

void flip(std::string* file, size_t at, int bit) {
  (*file)[at] = static_cast<char>(octet(*file, at) ^ (1U << bit));
}

// Which bit of the `size` octets that a checksum covers is wrong, when `wrong` is what the checksum differs
// by. A CRC is linear: a wrong bit changes it by an amount that depends only on its distance from the end.
struct WrongBit {
  size_t from_end = 0;
  int bit = 0;
};
std::optional<WrongBit> wrong_bit(uint32_t wrong, size_t size) {
  std::array<uint32_t, 8> effect{};
  const std::string zero(1, '\0');
  for (int bit = 0; bit < 8; ++bit)
    effect[static_cast<size_t>(bit)] =
        crc32c_portable(std::string(1, static_cast<char>(1U << bit))) ^ crc32c_portable(zero);
  for (size_t from_end = 0; from_end < size; ++from_end) {
    for (int bit = 0; bit < 8; ++bit) {
      if (effect[static_cast<size_t>(bit)] == wrong) return WrongBit{from_end, bit};
    }
    // One zero octet further: crc32c() begins and ends with an inversion, which this undoes.
    for (uint32_t& each : effect) each = ~crc32c(zero, ~each);
  }
  return std::nullopt;
}

// Sets one wrong bit right. False: more is wrong.
bool mend_record(std::string* file, size_t at) {
  if (at + kHeader > file->size()) return false;
  for (size_t i = at; i < at + kHeader; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      flip(file, i, bit);
      // An empty record is never written: a header of zeros would pass for one.
      if (good(*file, at) && length_at(*file, at) > 0) return true;
      flip(file, i, bit);
    }
  }
  if (!framed(*file, at)) return false;
  const size_t size = 1 + length_at(*file, at);
  const uint32_t is = crc32c(std::string_view(*file).substr(at + 6, size));
  const std::optional<WrongBit> found = wrong_bit(is ^ unmasked(fixed32(*file, at)), size);
  if (!found) return false;
  flip(file, at + 6 + size - 1 - found->from_end, found->bit);
  return good(*file, at);
}

// The next record behind a spoilt one that is whole; the end of the block when there is none in it.
size_t next_good(std::string_view file, size_t at) {
  const size_t end = std::min(file.size(), at + left_in_block(at));
  for (size_t next = at + kHeader; next + kHeader <= end; ++next) {
    if (good(file, next) && length_at(file, next) > 0) return next;
  }
  return end;
}

// Of the first batch that begins at `at` or behind.
std::optional<uint64_t> next_sequence(std::string_view file, size_t at) {
  for (; at + kHeader <= file.size();) {
    if (left_in_block(at) < kHeader) {
      at += left_in_block(at);
      continue;
    }
    if (!good(file, at)) {
      at = next_good(file, at);
      continue;
    }
    const uint8_t type = octet(file, at + 6);
    const size_t length = length_at(file, at);
    if ((type == kFull || type == kFirst) && length >= kBatchHeader) return fixed64(file, at + kHeader);
    at += kHeader + length;
  }
  return std::nullopt;
}

// A whole record of `size` octets that says nothing: an empty batch, with filling.
std::string blank(size_t size, uint64_t sequence) {
  std::string payload;
  for (int i = 0; i < 8; ++i) payload.push_back(static_cast<char>(sequence >> (8 * i)));
  payload.resize(kBatchHeader);
  if (size < kHeader + kBatchHeader + 4) return {};
  const size_t room = size - kHeader - kBatchHeader;
  payload.push_back(kLogData);
  const size_t filling = room - 4;  // the length of it takes three octets
  payload.push_back(static_cast<char>(filling | 0x80));
  payload.push_back(static_cast<char>(filling >> 7 | 0x80));
  payload.push_back(static_cast<char>(filling >> 14));
  payload.resize(size - kHeader);
  std::string checked(1, static_cast<char>(kFull));
  checked += payload;
  const uint32_t crc = masked(crc32c(checked));
  std::string record;
  for (int i = 0; i < 4; ++i) record.push_back(static_cast<char>(crc >> (8 * i)));
  record.push_back(static_cast<char>(payload.size()));
  record.push_back(static_cast<char>(payload.size() >> 8));
  return record + checked;
}

}  // namespace

bool LogReport::spoilt() const {
  return cut || std::ranges::any_of(damage, [](const LogDamage& each) { return !each.mended; });
}

bool LogReport::mended() const { return !damage.empty() && !spoilt(); }

LogReport mend_log(std::string* file, uint64_t promised) {
  LogReport report;
  report.cut = file->size() < promised;
  size_t at = 0;
  while (at + kHeader <= file->size()) {
    if (left_in_block(at) < kHeader) {
      at += left_in_block(at);
    } else if (good(*file, at)) {
      at += kHeader + length_at(*file, at);
    } else if (at >= promised) {
      break;
    } else if (mend_record(file, at)) {
      report.damage.push_back({at, kHeader + length_at(*file, at), true});
    } else {
      const size_t next = next_good(*file, at);
      report.damage.push_back({at, next - at, false});
      at = next;
    }
  }
  const auto spoilt = std::ranges::find(report.damage, false, &LogDamage::mended);
  report.whole = spoilt != report.damage.end() ? spoilt->at : std::min(at, file->size());
  return report;
}

std::vector<std::string> blank_spoilt(std::string* file, const LogReport& report) {
  std::vector<std::string> pieces;
  std::set<size_t> spoilt;
  for (const LogDamage& each : report.damage) {
    if (!each.mended) spoilt.insert(each.at);
  }
  // Of a blank batch: that of the next one after the last that is whole, or of the first that is. RocksDB
  // goes on from the last it reads.
  std::optional<uint64_t> sequence;
  std::vector<std::pair<size_t, size_t>> open;  // the fragments of a record so far
  bool broken = false;                          // one of them is spoilt
  const auto drop = [&] {
    if (!sequence) sequence = next_sequence(*file, open.back().first + open.back().second);
    for (const auto& [at, size] : open) {
      pieces.push_back(file->substr(at + std::min(size, kHeader), size - std::min(size, kHeader)));
      const std::string filling = sequence ? blank(size, *sequence) : std::string();
      if (!filling.empty()) file->replace(at, size, filling);
    }
    open.clear();
    broken = false;
  };
  for (size_t at = 0; at + kHeader <= file->size();) {
    if (left_in_block(at) < kHeader) {
      at += left_in_block(at);
      continue;
    }
    if (spoilt.contains(at)) {
      const auto damage = std::ranges::find(report.damage, at, &LogDamage::at);
      open.emplace_back(at, damage->size);
      broken = true;
      at += damage->size;
      continue;
    }
    if (!good(*file, at)) break;
    const uint8_t type = octet(*file, at + 6);
    const size_t size = kHeader + length_at(*file, at);
    const bool begins = type == kFull || type == kFirst;
    if (begins && broken) drop();
    if (begins) {
      open.clear();
      if (size >= kHeader + kBatchHeader)
        sequence = fixed64(*file, at + kHeader) + fixed32(*file, at + kHeader + 8);
    }
    open.emplace_back(at, size);
    at += size;
    if (type == kLast && broken) drop();
    if (type == kFull || type == kLast) open.clear();
  }
  if (broken) drop();
  return pieces;
}

std::vector<std::string> read_log(std::string_view file) {
  std::vector<std::string> records;
  std::optional<std::string> open;  // the fragments so far of a record whose first one is whole
  for (size_t at = 0; at + kHeader <= file.size();) {
    if (left_in_block(at) < kHeader) {
      at += left_in_block(at);
      continue;
    }
    if (!good(file, at)) {
      open.reset();
      at = next_good(file, at);
      continue;
    }
    const uint8_t type = octet(file, at + 6);
    const std::string_view content = file.substr(at + kHeader, length_at(file, at));
    if (type == kFull || type == kFirst) open = std::string();
    if (open) open->append(content);
    if (open && (type == kFull || type == kLast)) {
      records.push_back(std::move(*open));
      open.reset();
    }
    at += kHeader + content.size();
  }
  return records;
}

std::vector<uint64_t> messages_in(std::string_view piece) {
  std::vector<uint64_t> ids;
  // Of a put into `records`: the length of the key, the key, the length of the value, its letter and version.
  for (size_t at = 0; at + 13 < piece.size(); ++at) {
    if (octet(piece, at) != 8) continue;
    size_t value = at + 9;
    while (value < piece.size() && value < at + 13 && octet(piece, value) >= 0x80) ++value;
    if (value + 2 >= piece.size() || piece[value + 1] != 'M' || octet(piece, value + 2) != kRecordVersion)
      continue;
    ids.push_back(parse_id_key(piece.substr(at + 1, 8)).value_or(0));
  }
  return ids;
}

}  // namespace relay::spool
