// The RocksDB database of the spool: its options, how it is opened, and what is done when its write-ahead log
// is damaged.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>

#include "conf/vocab/result.h"

namespace relay::spool {

// All but RocksDB's "default", which every database has, are ours to make; the one who opened them destroys
// them.
struct RocksTables {
  rocksdb::ColumnFamilyHandle* values = nullptr;  // "default"
  rocksdb::ColumnFamilyHandle* records = nullptr;
  rocksdb::ColumnFamilyHandle* bodies = nullptr;
  rocksdb::ColumnFamilyHandle* states = nullptr;  // see rocks_states.h
};

struct RocksDatabase {
  std::unique_ptr<rocksdb::DB> db;
  RocksTables tables;
  std::string damage;  // not empty: the log was damaged, and this says what was done
};

// Opens or makes `path`/db. `env` outlives the database. A cut end of the log is what a crash leaves and is
// passed over. Damage before its end would hide all that was written after it: the logs are then copied to
// `path`/set-aside/ and everything in them that can be read is taken.
conf::Result<RocksDatabase> open_database(const std::string& path, rocksdb::Env* env);

conf::Error error_of(const rocksdb::Status& status, const std::string& what);

}  // namespace relay::spool
