#include "relay/spool/rocks_database.h"

#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "relay/spool/rocks_log.h"

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
    std::filesystem::copy_file(entry.path(), to / entry.path().filename(),
                               std::filesystem::copy_options::overwrite_existing, code);
    if (code) break;
  }
  return code ? code.message() : std::string();
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

conf::Result<RocksDatabase> open_database(const std::string& path, rocksdb::Env* env) {
  const std::filesystem::path folder = std::filesystem::path(path) / "db";
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) {
    return conf::Error{conf::ErrorCode::kIo,
                       "[spool] path: cannot make " + folder.string() + ": " + code.message()};
  }
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, record_options()},
      {"records", record_options()},
      {"bodies", body_options()},
      {"states", state_options()}};  // made when an older spool has none
  RocksDatabase opened;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  rocksdb::DBOptions options = db_options();
  options.env = env;
  options.info_log = make_rocks_log(folder.string());
  rocksdb::Status status = rocksdb::DB::Open(options, folder.string(), families, &handles, &db);
  if (status.IsCorruption()) {
    const std::filesystem::path aside = std::filesystem::path(path) / "set-aside";
    const std::string trouble = copy_logs(folder, aside);
    if (!trouble.empty()) {
      return conf::Error{conf::ErrorCode::kIo, "the spool " + path + " is damaged (" + status.ToString() +
                                                   ") and its logs cannot be copied to " + aside.string() +
                                                   ": " + trouble};
    }
    opened.damage =
        status.ToString() + "; the logs are kept as they were, and what they hold besides is used";
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
    status = rocksdb::DB::Open(options, folder.string(), families, &handles, &db);
  }
  if (!status.ok()) return error_of(status, "the spool " + path + " cannot be opened");
  opened.db.reset(db);
  opened.tables = {handles[0], handles[1], handles[2], handles[3]};
  return opened;
}

}  // namespace relay::spool
