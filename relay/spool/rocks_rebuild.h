// Builds a database anew from what can be read of one that RocksDB refuses to open. Only the spool uses this.
#pragma once

#include <rocksdb/db.h>

#include <set>
#include <string>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/result.h"
#include "relay/spool/rocks_database.h"

namespace relay::spool {

// Links all files of `path`/db as they are into a new folder of `path`/set-aside/, whose name it gives back,
// and lets RocksDB build its lists anew from the tables and logs that can be read.
conf::Result<std::string> rebuild_database(const std::string& path, const rocksdb::DBOptions& options,
                                           const std::vector<rocksdb::ColumnFamilyDescriptor>& families);

// What stands in the logs of `kept`, the folder of rebuild_database(), is carried out again: RocksDB's repair
// drops what belongs to a table of which no file can be read. Gives back the messages that they remove.
// `damage` gets a line for each log that cannot be opened.
conf::Result<std::set<conf::MessageId>> replay_logs(const std::string& kept, rocksdb::DB* db,
                                                    const RocksTables& tables,
                                                    std::vector<std::string>* damage);

// RocksDB forgets the files that hold the larger bodies: puts those back for the messages that are there.
// `kept` is the folder of rebuild_database().
conf::Status bring_bodies_back(const std::string& kept, rocksdb::DB* db, const RocksTables& tables);

}  // namespace relay::spool
