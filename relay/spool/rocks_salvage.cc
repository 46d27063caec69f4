#include "relay/spool/rocks_salvage.h"

#include <rocksdb/options.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "relay/spool/crc32c.h"
#include "relay/spool/damaged_files.h"
#include "relay/spool/fixed.h"
#include "relay/spool/record.h"
#include "relay/spool/table_salvage.h"

namespace relay::spool {

namespace {

namespace fs = std::filesystem;
using Kind = TableEntry::Kind;

// RocksDB, db/blob/blob_log_format.h. The head: a magic number, the version, the number of the table, flags,
// the compression, two times. The foot: the magic number, a count, two times, a checksum.
constexpr size_t kHead = 30, kFoot = 32, kChecked = 28, kFlagsAt = 12;
constexpr char kMagic[] = "\x37\x8f\x24\x00";

rocksdb::ColumnFamilyHandle* table_of(Kind kind, const RocksTables& tables) {
  switch (kind) {
    case Kind::kRecord:
      return tables.records;
    case Kind::kState:
      return tables.states;
    case Kind::kBody:
      return tables.bodies;
    case Kind::kValue:
      return tables.values;
    default:
      return nullptr;
  }
}

}  // namespace

bool good_ends_of_bodies(const std::string& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const std::streamoff size = in.tellg();
  if (size < static_cast<std::streamoff>(kHead + kFoot)) return false;
  std::string head(kHead, '\0'), foot(kFoot, '\0');
  in.seekg(0).read(head.data(), kHead);
  in.seekg(size - static_cast<std::streamoff>(kFoot)).read(foot.data(), kFoot);
  const std::string_view magic(kMagic, 4);
  if (!in || !head.starts_with(magic) || !foot.starts_with(magic)) return false;
  if (head.substr(4, 8) != std::string("\x01\0\0\0\x02\0\0\0", 8))
    return false;  // bodies are the third table
  if (head.find_first_not_of('\0', kFlagsAt) != std::string::npos) return false;
  const uint32_t crc = crc32c(std::string_view(foot).substr(0, kChecked));
  return masked(crc) == fixed32(foot, kChecked);
}

Salvage Salvage::look_through(const std::string& kept) {
  Salvage salvage;
  for (const auto& [number, file] : numbered_files(kept, "", ".sst")) salvage.files_.push_back(file);
  std::ranges::reverse(salvage.files_);
  for (const fs::path& file : salvage.files_) {
    const conf::Result<std::string> content = read_damaged_file(file);
    if (content.ok()) {
      salvage.note(content.value());
    } else {
      salvage.unread_.push_back(content.error().detail);
    }
  }
  return salvage;
}

void Salvage::note(const std::string& content) {
  for (const TableEntry& entry : read_table(content)) {
    if (entry.kind == Kind::kBody || entry.kind == Kind::kBodyElsewhere) {
      Newest& newest = newest_[entry.key];
      newest.body = std::max(newest.body, entry.sequence);
    } else if (entry.kind == Kind::kRemoved) {
      Newest& newest = newest_[entry.key];
      newest.removed = std::max(newest.removed, entry.sequence);
    } else if (entry.kind == Kind::kState || entry.kind == Kind::kValue) {
      uint64_t& written = written_[entry.key];
      written = std::max(written, entry.sequence);
    }
  }
}

conf::Status Salvage::put_back(rocksdb::DB* db, const RocksTables& tables) {
  for (const fs::path& file : files_) {
    const conf::Result<std::string> content = read_damaged_file(file);
    if (!content.ok()) continue;  // see unread()
    if (const conf::Status status = put_back_from(content.value(), db, tables); !status.ok()) return status;
  }
  return conf::success();
}

conf::Status Salvage::put_back_from(const std::string& content, rocksdb::DB* db, const RocksTables& tables) {
  for (const TableEntry& entry : read_table(content)) {
    rocksdb::ColumnFamilyHandle* table = table_of(entry.kind, tables);
    if (table == nullptr) continue;
    const auto newest = newest_.find(entry.key);
    if (newest != newest_.end() && newest->second.removed > entry.sequence) continue;
    const auto written = written_.find(entry.key);
    if (written != written_.end() && written->second > entry.sequence) continue;
    const rocksdb::Status status =
        db->Put({}, table, entry.key, rocksdb::Slice(entry.value.data(), entry.value.size()));
    if (!status.ok()) return error_of(status, "what was saved cannot be put back");
  }
  return conf::success();
}

std::vector<conf::MessageId> Salvage::missing(rocksdb::DB* db, const RocksTables& tables,
                                              const std::set<conf::MessageId>& removed) const {
  std::vector<conf::MessageId> ids;
  for (const auto& [key, newest] : newest_) {
    const conf::MessageId id = parse_id_key(key).value_or(0);
    if (id == 0 || newest.body == 0 || newest.removed > newest.body || removed.contains(id)) continue;
    std::string record;
    if (db->Get({}, tables.records, key, &record).IsNotFound()) ids.push_back(id);
  }
  return ids;
}

}  // namespace relay::spool
