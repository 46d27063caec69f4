#include "relay/spool/rocks_rebuild.h"

#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "relay/spool/crc32c.h"
#include "relay/spool/damaged_files.h"
#include "relay/spool/fixed.h"
#include "relay/spool/lasting_files.h"
#include "relay/spool/log_mend.h"
#include "relay/spool/record.h"
#include "relay/spool/rocks_salvage.h"

namespace relay::spool {

namespace {

namespace fs = std::filesystem;

// RocksDB, db/blob/blob_log_format.h: the head of a file, and of each body in it.
constexpr size_t kBlobFileHeader = 30;
constexpr size_t kBlobHeader = 32;         // length of the key, of the value, expiration, two checksums
constexpr size_t kBlobHeaderChecked = 24;  // of it, by the first of them
constexpr size_t kBlobKey = 8;

bool blob_begins(std::string_view file, size_t at) {
  if (fixed64(file, at) != kBlobKey || fixed64(file, at + 8) > file.size() - at - kBlobHeader - kBlobKey)
    return false;
  return masked(crc32c(file.substr(at, kBlobHeaderChecked))) == fixed32(file, at + kBlobHeaderChecked);
}

// Each body whose head can be read; behind one that cannot the next is looked for. The checksums of the
// bodies say whether they are whole.
void walk_blobs(std::string_view file,
                const std::function<void(std::string_view key, std::string_view body)>& use) {
  for (size_t at = kBlobFileHeader; at + kBlobHeader + kBlobKey <= file.size();) {
    if (!blob_begins(file, at)) {
      ++at;
      continue;
    }
    const size_t size = fixed64(file, at + 8);
    use(file.substr(at + kBlobHeader, kBlobKey), file.substr(at + kBlobHeader + kBlobKey, size));
    at += kBlobHeader + kBlobKey + size;
  }
}

struct Places {
  explicit Places(const fs::path& path)
      : old(path / "db"), unfinished(path / "db.new"), ready(path / "db.ready"), aside(path / "set-aside") {}
  const fs::path old, unfinished, ready, aside;
};

std::error_code move_lasting(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::rename(from, to, code);
  if (!code) code = sync_to_disk(to.parent_path());
  if (!code) code = sync_to_disk(from.parent_path());
  return code;
}

// The marks are of the logs of the old database: they would be missed in the new one.
std::error_code put_in_place(const Places& places, SyncMarks* marks) {
  marks->forget();
  return move_lasting(places.ready, places.old);
}

conf::Error no_rebuild(const std::string& path, const std::error_code& code) {
  const bool full = code == std::errc::no_space_on_device;
  return {full ? conf::ErrorCode::kNoSpace : conf::ErrorCode::kIo,
          "the spool " + path + " is damaged and cannot be built anew: " + code.message()};
}

// Carries a batch of a log out again. The numbers of the tables are those of every spool.
class Replay final : public rocksdb::WriteBatch::Handler {
 public:
  explicit Replay(const RocksTables& tables)
      : tables_{tables.values, tables.records, tables.bodies, tables.states} {}

  rocksdb::Status PutCF(uint32_t table, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    return table < tables_.size() ? batch.Put(tables_[table], key, value) : rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(uint32_t table, const rocksdb::Slice& key) override {
    if (const auto id = parse_id_key({key.data(), key.size()})) removed.insert(*id);
    return table < tables_.size() ? batch.Delete(tables_[table], key) : rocksdb::Status::OK();
  }
  rocksdb::Status SingleDeleteCF(uint32_t table, const rocksdb::Slice& key) override {
    return DeleteCF(table, key);  // it may have been put twice by now
  }
  void LogData(const rocksdb::Slice&) override {}

  rocksdb::WriteBatch batch;
  std::set<conf::MessageId> removed;

 private:
  const std::array<rocksdb::ColumnFamilyHandle*, 4> tables_;
};

}  // namespace

conf::Result<std::set<conf::MessageId>> replay_logs(const std::string& kept, rocksdb::DB* db,
                                                    const RocksTables& tables,
                                                    std::vector<std::string>* damage) {
  std::set<conf::MessageId> removed;
  for (const auto& [number, log] : numbered_files(kept, "", ".log")) {
    const conf::Result<std::string> content = read_damaged_file(log);
    if (!content.ok()) {
      damage->push_back(content.error().detail);
      continue;
    }
    for (std::string& record : read_log(content.value())) {
      const rocksdb::WriteBatch batch(std::move(record));
      Replay replay(tables);
      if (!batch.Iterate(&replay).ok()) continue;  // no batch, for all that its checksum says
      const rocksdb::Status status = db->Write({}, &replay.batch);
      if (!status.ok()) return error_of(status, "a log cannot be carried out again");
      removed.merge(replay.removed);
    }
  }
  return removed;
}

conf::Result<bool> take_up_rebuild(const std::string& path, SyncMarks* marks) {
  const Places places(path);
  if (fs::exists(places.ready) && !fs::exists(places.old)) {
    if (const std::error_code code = put_in_place(places, marks); code) return no_rebuild(path, code);
    return true;
  }
  std::error_code code;
  for (const fs::path& each : {places.unfinished, places.ready}) {
    if (!code) fs::remove_all(each, code);
  }
  if (code) return no_rebuild(path, code);
  return false;
}

conf::Result<std::string> begin_rebuild(const std::string& path) {
  const Places places(path);
  std::error_code code;
  fs::create_directories(places.unfinished, code);
  if (code) return no_rebuild(path, code);
  return places.unfinished.string();
}

conf::Result<std::string> finish_rebuild(const std::string& path, SyncMarks* marks) {
  const Places places(path);
  fs::path kept;
  for (int i = 1; kept.empty() || fs::exists(kept); ++i) kept = places.aside / ("db-" + std::to_string(i));
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(places.unfinished, code)) {
    if (!code) code = sync_to_disk(entry.path());
  }
  if (!code) code = sync_to_disk(places.unfinished);
  if (!code) fs::create_directories(places.aside, code);
  if (!code) code = move_lasting(places.unfinished, places.ready);
  if (!code) code = move_lasting(places.old, kept);
  if (!code) code = put_in_place(places, marks);
  if (code) return no_rebuild(path, code);
  return kept.string();
}

conf::Status bring_bodies_back(const std::string& kept, rocksdb::DB* db, const RocksTables& tables,
                               std::vector<std::string>* damage) {
  std::error_code code;
  rocksdb::Status status;
  for (const auto& entry : fs::directory_iterator(kept, code)) {
    if (entry.path().extension() != ".blob") continue;
    const conf::Result<std::string> content = read_damaged_file(entry.path());
    if (!content.ok()) {
      damage->push_back(content.error().detail);
      continue;
    }
    walk_blobs(content.value(), [&](std::string_view key, std::string_view body) {
      std::string there;
      const conf::MessageId id = parse_id_key(key).value_or(0);
      if (!status.ok() || !decode_body(id, body).ok() || !db->Get({}, tables.records, key, &there).ok())
        return;
      if (db->Get({}, tables.bodies, key, &there).ok() && decode_body(id, there).ok()) return;
      status = db->Put({}, tables.bodies, key, body);
    });
  }
  if (code) return conf::Error{conf::ErrorCode::kIo, "cannot read " + kept + ": " + code.message()};
  if (!status.ok()) return error_of(status, "a body cannot be put back");
  return conf::success();
}

}  // namespace relay::spool
