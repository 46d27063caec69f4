// The table of what became of messages since they were accepted: many small states, found by the message.
// Only the spool uses this.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "relay/spool/spool.h"

namespace relay::spool {

// Hears of a state that cannot be read: its key as text, and why.
using StateDamage = std::function<void(const std::string& key, const std::string& why)>;

// Reads along with a walk over the messages in the order of their ids.
class StateWalk {
 public:
  StateWalk(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* states);
  // Puts the states of the message into its record. A state that cannot be read leaves its recipients as they
  // were when the message was accepted: they are tried again rather than forgotten.
  void apply(MessageRecord* record, const StateDamage& damaged);
  // A failed read, if there was one.
  rocksdb::Status status() const { return iterator_->status(); }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

// The same for one message, as of a moment that was kept.
rocksdb::Status read_states(rocksdb::DB* db, const rocksdb::Snapshot* moment,
                            rocksdb::ColumnFamilyHandle* states, MessageRecord* record,
                            const StateDamage& damaged);

// The states of one batch of writes.
class StateBatch {
 public:
  StateBatch(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* states, rocksdb::WriteBatch* batch)
      : db_(db), states_(states), batch_(batch) {}
  void put(conf::MessageId id, uint32_t part, const std::string& state);
  // All states of the message, those of this batch too.
  void remove(conf::MessageId id);

 private:
  rocksdb::DB* db_;
  rocksdb::ColumnFamilyHandle* states_;
  rocksdb::WriteBatch* batch_;
  std::set<std::string> fresh_;                  // keys put in this batch
  std::unique_ptr<rocksdb::Iterator> iterator_;  // made for the first remove
};

}  // namespace relay::spool
