// The RocksDB database of the spool: its options, how it is opened, and what is done when its write-ahead log
// is damaged.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/result.h"
#include "relay/spool/sync_marks.h"

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
  std::vector<std::string> damage;    // what was found, and what was done about it, for people
  std::vector<conf::MessageId> lost;  // stood in a damaged place, and are not there
};

// Opens or makes `path`/db. `env` outlives the database. A cut end of the log is what a crash leaves and is
// passed over, as far as it was not promised (`marks`). One wrong bit in a log or a list of RocksDB's is set
// right; damage that cannot be is gone round, and a database that does not open is built anew from what can
// be read, beside it, and then takes its place. All that is changed is first copied to `path`/set-aside/.
conf::Result<RocksDatabase> open_database(const std::string& path, rocksdb::Env* env, SyncMarks* marks);

conf::Error error_of(const rocksdb::Status& status, const std::string& what);

}  // namespace relay::spool
