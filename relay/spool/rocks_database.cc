#include "relay/spool/rocks_database.h"

#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "relay/spool/lasting_files.h"
#include "relay/spool/record.h"
#include "relay/spool/rocks_care.h"
#include "relay/spool/rocks_log.h"
#include "relay/spool/rocks_rebuild.h"
#include "relay/spool/rocks_salvage.h"

namespace relay::spool {

namespace {

constexpr size_t kBodyMemtable = 64 << 20;
constexpr size_t kRecordMemtable = 16 << 20;
constexpr uint64_t kLogsTogether = 256
                                   << 20;  // then the oldest memtable is written out, so that its log may go

rocksdb::ColumnFamilyOptions record_options() {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = kRecordMemtable;
  options.compression = rocksdb::kNoCompression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(16 << 20);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// Bodies are written once and removed once: most are gone before their memtable is written out, and then cost
// nothing more. The rest lie in blob files, so that compaction moves keys and not bodies.
rocksdb::ColumnFamilyOptions body_options() {
  rocksdb::ColumnFamilyOptions options = record_options();
  options.write_buffer_size = kBodyMemtable;
  options.enable_blob_files = true;
  options.min_blob_size = 256;
  options.blob_file_size = 64 << 20;
  options.enable_blob_garbage_collection = true;
  options.blob_garbage_collection_age_cutoff = 0.5;
  options.blob_garbage_collection_force_threshold = 0.5;
  return options;
}

// Found by the message, the first eight bytes of a key; most messages have none.
rocksdb::ColumnFamilyOptions state_options() {
  rocksdb::ColumnFamilyOptions options = record_options();
  options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(8));
  options.memtable_prefix_bloom_size_ratio = 0.05;
  return options;
}

rocksdb::DBOptions db_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.max_total_wal_size = kLogsTogether;
  options.max_open_files = 512;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.avoid_flush_during_shutdown = true;  // the log has it
  options.avoid_flush_during_recovery = true;  // likewise: a start on a full disk needs hardly any room
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return options;
}

// Copies the logs to set-aside/; the error text is empty when all are there.
std::string copy_logs(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code code;
  std::filesystem::create_directories(to, code);
  for (const auto& entry : std::filesystem::directory_iterator(from, code)) {
    if (code) break;
    if (entry.path().extension() != ".log") continue;
    code = copy_to_disk(entry.path(), to / entry.path().filename());
    if (code) break;
  }
  if (!code) code = sync_to_disk(to);
  if (!code) code = sync_to_disk(to.parent_path());
  return code ? code.message() : std::string();
}

std::vector<rocksdb::ColumnFamilyDescriptor> families() {
  return {{rocksdb::kDefaultColumnFamilyName, record_options()},
          {"records", record_options()},
          {"bodies", body_options()},
          {"states", state_options()}};  // made when an older spool has none
}

// Not a fault of the files: the disk is full, another process has them.
bool damaged(const rocksdb::Status& status) {
  if (status.ok()) return false;
  const conf::ErrorCode code = error_of(status, "").code;
  return code == conf::ErrorCode::kCorrupt || (code == conf::ErrorCode::kIo && !status.IsBusy());
}

class Opening {
 public:
  Opening(const std::string& path, rocksdb::Env* env, SyncMarks* marks)
      : path_(path),
        folder_((std::filesystem::path(path) / "db").string()),
        options_(db_options()),
        marks_(marks) {
    options_.env = env;
    options_.info_log = make_rocks_log(folder_);
  }

  conf::Result<RocksDatabase> open(CareReport care) {
    opened_.damage = std::move(care.said);
    rocksdb::Status status =
        care.unreadable ? rocksdb::Status::Corruption(*care.unreadable) : attempt(folder_);
    if (status.IsCorruption() && !care.unreadable) {
      const std::string trouble = copy_logs(folder_, std::filesystem::path(path_) / "set-aside");
      if (!trouble.empty()) {
        return conf::Error{conf::ErrorCode::kIo,
                           "the spool " + path_ + " is damaged (" + status.ToString() +
                               ") and its logs cannot be copied to set-aside: " + trouble};
      }
      options_.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
      const std::string why = status.ToString();
      status = attempt(folder_);
      if (status.ok())
        opened_.damage.push_back(why +
                                 "; the logs are kept as they were, and what they hold besides is used");
    }
    if (status.ok()) status = verify();
    if (!status.ok() && !damaged(status)) return cannot_open(status);
    if (damaged(status)) {
      close();
      if (const conf::Status built = rebuild(status); !built.ok()) return built.error();
    }
    for (const conf::MessageId id : care.in_damage) {
      std::string there;
      if (opened_.db->Get({}, opened_.tables.records, id_key(id), &there).IsNotFound())
        opened_.lost.push_back(id);
    }
    return std::move(opened_);
  }

 private:
  rocksdb::Status attempt(const std::string& folder) {
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    rocksdb::Status status = rocksdb::DB::Open(options_, folder, families(), &handles, &db);
    if (!status.ok()) return status;
    opened_.db.reset(db);
    opened_.tables = {handles[0], handles[1], handles[2], handles[3]};
    return status;
  }

  // RocksDB opens a database without reading its tables, and a bad block would stop what goes through them:
  // the reading at the start, or a compaction later.
  rocksdb::Status verify() const {
    rocksdb::ReadOptions options;
    options.readahead_size = 4 << 20;
    rocksdb::Status status = opened_.db->VerifyChecksum(options);
    if (!status.ok()) return status;
    // A crash can leave a file that nothing refers to yet: those in use are asked for.
    rocksdb::ColumnFamilyMetaData bodies;
    opened_.db->GetColumnFamilyMetaData(opened_.tables.bodies, &bodies);
    for (const rocksdb::BlobMetaData& each : bodies.blob_files) {
      const std::filesystem::path file = std::filesystem::path(opened_.db->GetName()) /
                                         std::filesystem::path(each.blob_file_name).filename();
      if (!std::filesystem::exists(file))
        return rocksdb::Status::Corruption(file.filename().string() + " is not there");
      if (!good_ends_of_bodies(file))
        return rocksdb::Status::Corruption(file.filename().string() + " has a spoilt end");
    }
    return status;
  }

  void close() {
    if (opened_.db == nullptr) return;
    const RocksTables& tables = opened_.tables;
    for (rocksdb::ColumnFamilyHandle* each : {tables.values, tables.records, tables.bodies, tables.states})
      (void)opened_.db->DestroyColumnFamilyHandle(each).ok();
    (void)opened_.db->Close().ok();
    opened_.db.reset();
  }

  conf::Error cannot_open(const rocksdb::Status& status) const {
    return error_of(status, "the spool " + path_ + " cannot be opened");
  }

  conf::Status rebuild(const rocksdb::Status& why) {
    opened_.damage.push_back("the database cannot be read (" + why.ToString() + ")");
    // The new one is elsewhere, and another process shall not begin one too.
    rocksdb::FileLock* lock = nullptr;
    const rocksdb::Status locked = options_.env->LockFile(folder_ + "/LOCK", &lock);
    if (!locked.ok()) return cannot_open(locked);
    const conf::Result<std::string> kept = build_anew();
    (void)options_.env->UnlockFile(lock).ok();
    if (!kept.ok()) return kept.error();
    opened_.damage.push_back("it was built anew from what can be read; all its files as they were are in " +
                             kept.value());
    options_.info_log = make_rocks_log(folder_);
    const rocksdb::Status status = attempt(folder_);
    return status.ok() ? conf::success() : conf::Status(cannot_open(status));
  }

  // Where the old files are then.
  conf::Result<std::string> build_anew() {
    const conf::Result<std::string> fresh = begin_rebuild(path_);
    if (!fresh.ok()) return fresh.error();
    if (const rocksdb::Status made = attempt(fresh.value()); !made.ok()) return cannot_open(made);
    const conf::Status filled = fill();
    const rocksdb::Status lasting = filled.ok() ? make_lasting() : rocksdb::Status::OK();
    close();
    if (!filled.ok()) return filled.error();
    if (!lasting.ok()) return cannot_open(lasting);
    return finish_rebuild(path_, marks_);
  }

  // With what the old files hold.
  conf::Status fill() {
    rocksdb::DB* db = opened_.db.get();
    Salvage salvage = Salvage::look_through(folder_);
    opened_.damage.insert(opened_.damage.end(), salvage.unread().begin(), salvage.unread().end());
    if (const conf::Status back = salvage.put_back(db, opened_.tables); !back.ok()) return back.error();
    const conf::Result<std::set<conf::MessageId>> removed =
        replay_logs(folder_, db, opened_.tables, &opened_.damage);
    if (!removed.ok()) return removed.error();
    if (const conf::Status back = bring_bodies_back(folder_, db, opened_.tables, &opened_.damage); !back.ok())
      return back.error();
    opened_.lost = salvage.missing(db, opened_.tables, removed.value());
    return conf::success();
  }

  // All of it in tables, which are read again: the logs of the new database have no marks.
  rocksdb::Status make_lasting() {
    const RocksTables& tables = opened_.tables;
    const rocksdb::Status status =
        opened_.db->Flush({}, {tables.values, tables.records, tables.bodies, tables.states});
    return status.ok() ? verify() : status;
  }

  const std::string path_;
  const std::string folder_;
  rocksdb::DBOptions options_;
  SyncMarks* const marks_;
  RocksDatabase opened_;
};

// All that is done with the files before RocksDB sees them.
conf::Result<CareReport> care_for(const std::string& path, SyncMarks* marks) {
  const conf::Result<bool> taken_up = take_up_rebuild(path, marks);
  if (!taken_up.ok()) return taken_up.error();
  const std::filesystem::path folder = std::filesystem::path(path) / "db";
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) {
    return conf::Error{conf::ErrorCode::kIo,
                       "[spool] path: cannot make " + folder.string() + ": " + code.message()};
  }
  conf::Result<CareReport> care = look_after(path, *marks, true);
  if (care.ok() && taken_up.value())
    care->said.push_back(
        "the database was built anew by a start that was interrupted; what it was made from is in " + path +
        "/set-aside");
  return care;
}

}  // namespace

conf::Error error_of(const rocksdb::Status& status, const std::string& what) {
  conf::ErrorCode code = conf::ErrorCode::kIo;
  const std::string text = status.ToString();
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kNoSpace ||
      text.find("No space left") != std::string::npos) {
    code = conf::ErrorCode::kNoSpace;
  } else if (text.find("Read-only file system") != std::string::npos) {
    code = conf::ErrorCode::kReadOnly;
  } else if (status.IsCorruption()) {
    code = conf::ErrorCode::kCorrupt;
  } else if (text.find("lock") != std::string::npos && text.find("LOCK") != std::string::npos) {
    return {conf::ErrorCode::kRefused, what + ": another process has this spool open (" + text + ")"};
  }
  return {code, what + ": " + text};
}

conf::Result<RocksDatabase> open_database(const std::string& path, rocksdb::Env* env, SyncMarks* marks) {
  const std::filesystem::path folder = std::filesystem::path(path) / "db";
  rocksdb::FileLock* lock = nullptr;  // nobody else mends it meanwhile
  if (std::filesystem::exists(folder)) {
    const rocksdb::Status locked = env->LockFile((folder / "LOCK").string(), &lock);
    if (!locked.ok()) return error_of(locked, "the spool " + path + " cannot be opened");
  }
  conf::Result<CareReport> care = care_for(path, marks);
  if (lock != nullptr) (void)env->UnlockFile(lock).ok();
  if (!care.ok()) return care.error();
  return Opening(path, env, marks).open(std::move(*care));
}

}  // namespace relay::spool
