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

conf::Result<std::string> rebuild_database(const std::string& path, const rocksdb::DBOptions& options,
                                           const std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
  const fs::path folder = fs::path(path) / "db";
  fs::path kept;
  std::error_code code;
  for (int i = 1; kept.empty() || fs::exists(kept); ++i)
    kept = fs::path(path) / "set-aside" / ("db-" + std::to_string(i));
  fs::create_directories(kept, code);
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (code) break;
    if (!entry.is_regular_file() || entry.path().filename() == "LOCK") continue;
    const fs::path to = kept / entry.path().filename();
    // The logs may be changed in place.
    const bool link = entry.path().extension() == ".sst" || entry.path().extension() == ".blob";
    std::error_code no_link = std::make_error_code(std::errc::not_supported);
    if (link) fs::create_hard_link(entry.path(), to, no_link);
    if (no_link) code = copy_to_disk(entry.path(), to);
    if (code) break;
  }
  for (const fs::path& each : {kept, kept.parent_path(), fs::path(path)}) {
    if (!code) code = sync_to_disk(each);
  }
  if (code)
    return conf::Error{conf::ErrorCode::kIo, "the spool is damaged, and its files cannot be copied to " +
                                                 kept.string() + ": " + code.message()};
  for (const auto& entry : fs::directory_iterator(kept, code)) {  // see replay_logs()
    const fs::path name = entry.path().filename();
    if (name.extension() == ".log") fs::remove(folder / name, code);
    if (name.extension() == ".sst" && !check_table(entry.path()).ok())  // see Salvage
      fs::remove(folder / name, code);
  }
  const rocksdb::Status status = rocksdb::RepairDB(folder.string(), options, families);
  if (!status.ok()) return error_of(status, "the spool is damaged and cannot be built anew");
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
