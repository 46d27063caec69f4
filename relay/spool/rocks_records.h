// Reads whole tables of the database. Only the spool uses this.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/vocab/result.h"
#include "relay/spool/rocks_database.h"
#include "relay/spool/spool.h"

namespace relay::spool {

// Every entry in the order of the keys, until `use` says false. The views are good during the call.
conf::Status walk_table(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* table,
                        const std::function<bool(std::string_view key, std::string_view value)>& use);

struct StoredRecord {
  conf::MessageId id = 0;
  conf::Result<MessageRecord> record;                       // with its states; or why it cannot be read
  std::vector<std::pair<std::string, std::string>> damage;  // states that cannot be read: which, and why
};

// Every record in id order. A thread of its own reads and decodes while `each` is called on this one.
conf::Status read_records(rocksdb::DB* db, const RocksTables& tables,
                          const std::function<void(StoredRecord)>& each);

}  // namespace relay::spool
