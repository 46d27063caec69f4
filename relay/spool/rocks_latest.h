// Names messages a second time in the write-ahead log, in batches that stand a little behind their own: where
// a sector of the disk is destroyed the log still says which messages stood there. Only the spool uses this.
// Committer's thread.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/vocab/envelope.h"

namespace relay::spool {

class RocksLatest {
 public:
  // Octets of log behind a message in which it is named; several sectors.
  static constexpr uint64_t kReach = 16'384;

  // Names in `batch`, which is about to be written, what was stored lately.
  void name_in(rocksdb::WriteBatch* batch) const;
  // The batch is written, has so many octets and stored these.
  void written(const std::vector<conf::MessageId>& stored, uint64_t octets);
  // Finished: whoever misses it later has lost nothing.
  void removed(conf::MessageId id);
  bool empty() const { return ids_.empty(); }
  // So many octets in `batch` that say nothing: what is written next stands in another sector.
  static void keep_apart(rocksdb::WriteBatch* batch);

 private:
  std::deque<std::pair<uint64_t, conf::MessageId>> ids_;  // by where in the log it ends
  uint64_t octets_ = 0;                                   // of log so far
};

// What name_in() wrote; nothing when the entry of the log is not one of those.
std::vector<conf::MessageId> latest_ids_in(std::string_view log_data);

}  // namespace relay::spool
