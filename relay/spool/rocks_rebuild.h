// Builds a database anew from what can be read of one that RocksDB refuses to open. It is built in a folder
// of its own and takes the place of db/ once all of it is on disk; until then db/ stays as it is, so that a
// start that is interrupted costs nothing but its time: the next one begins again. Only the spool uses this,
// on the thread that opens it.
#pragma once

#include <rocksdb/db.h>

#include <set>
#include <string>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/result.h"
#include "relay/spool/rocks_database.h"
#include "relay/spool/sync_marks.h"

namespace relay::spool {

// Before anything else is done with the spool in `path`: a database that was ready takes the place of db/,
// which is away already (then true), and one that was not is dropped. Errors: kIo.
conf::Result<bool> take_up_rebuild(const std::string& path, SyncMarks* marks);

// Makes a folder beside db/, whose name it gives back, for the new database. It begins empty: RocksDB's own
// repair forgets the files that hold the larger bodies, stops at the first compaction that misses one of
// them, and gives other numbers to tables of which no file is left.
conf::Result<std::string> begin_rebuild(const std::string& path);

// What begin_rebuild() made is closed and on disk: it becomes db/. The old one is kept in a new folder of
// set-aside/, whose name is given back, and its marks are forgotten.
conf::Result<std::string> finish_rebuild(const std::string& path, SyncMarks* marks);

// What stands in the logs of `kept`, the old db/, is carried out again. Gives back the messages that they
// remove. `damage` gets a line for each log that cannot be opened.
conf::Result<std::set<conf::MessageId>> replay_logs(const std::string& kept, rocksdb::DB* db,
                                                    const RocksTables& tables,
                                                    std::vector<std::string>* damage);

// RocksDB forgets the files that hold the larger bodies: puts those back for the messages that are there.
// `kept` is the old db/. `damage` gets a line for each of them that cannot be opened.
conf::Status bring_bodies_back(const std::string& kept, rocksdb::DB* db, const RocksTables& tables,
                               std::vector<std::string>* damage);

}  // namespace relay::spool
