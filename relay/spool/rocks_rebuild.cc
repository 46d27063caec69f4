#include "relay/spool/rocks_rebuild.h"

#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

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
constexpr size_t kBlobHeader = 32;  // length of the key, of the value, expiration, two checksums
constexpr uint64_t kMostBody = uint64_t{1} << 32;

// Each body in the file whose head can be read. The checksums of the bodies say whether they are whole.
void walk_blobs(const fs::path& file,
                const std::function<void(const std::string& key, std::string body)>& use) {
  std::ifstream in(file, std::ios::binary);
  in.seekg(kBlobFileHeader);
  std::string header(kBlobHeader, '\0');
  while (in.read(header.data(), static_cast<std::streamsize>(header.size()))) {
    const uint64_t key_size = fixed64(header, 0), size = fixed64(header, 8);
    if (key_size != 8 || size > kMostBody) return;  // the end, or no way to the next one
    std::string key(8, '\0'), body(size, '\0');
    if (!in.read(key.data(), 8) || !in.read(body.data(), static_cast<std::streamsize>(size))) return;
    use(key, std::move(body));
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

conf::Status bring_bodies_back(const std::string& kept, rocksdb::DB* db, const RocksTables& tables) {
  std::error_code code;
  rocksdb::Status status;
  for (const auto& entry : fs::directory_iterator(kept, code)) {
    if (entry.path().extension() != ".blob") continue;
    walk_blobs(entry.path(), [&](const std::string& key, std::string body) {
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
