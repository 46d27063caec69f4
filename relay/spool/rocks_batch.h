// Turns what the committer has to write into one batch of RocksDB. Only the spool uses this.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <vector>

#include "relay/spool/committer.h"
#include "relay/spool/rocks_database.h"

namespace relay::spool {

struct BatchCounts {
  uint64_t stored = 0, updated = 0, removed = 0, kept = 0;
};

// Empties it and keeps its memory, up to 16 MB: new pages for each batch cost more than what is written into
// them.
void reuse(rocksdb::WriteBatch* batch);

BatchCounts fill_batch(const std::vector<WriteRequest>& requests, rocksdb::DB* db, const RocksTables& tables,
                       rocksdb::WriteBatch* batch);

}  // namespace relay::spool
