// What cannot be read is copied out of the way, for people to look at. Only the spool uses this.
#pragma once

#include <rocksdb/db.h>

#include <string>
#include <utility>
#include <vector>

#include "conf/vocab/envelope.h"

namespace relay::spool {

// Copies what the tables hold of the message to `path`/set-aside/<id><ending>, whatever the checksums say.
// False: something of it could not be read or written.
bool copy_aside(rocksdb::DB* db,
                const std::vector<std::pair<rocksdb::ColumnFamilyHandle*, std::string>>& tables_and_endings,
                const std::string& path, conf::MessageId id);

}  // namespace relay::spool
