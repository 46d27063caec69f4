// Looks after the files of the database before RocksDB reads them: what a flipped bit spoilt is set right,
// and what cannot be is said. Only the spool uses this, at a start, on the thread that opens it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/result.h"
#include "relay/spool/sync_marks.h"

namespace relay::spool {

struct CareReport {
  std::vector<std::string> said;           // for people, one line each
  std::vector<conf::MessageId> in_damage;  // messages that stood where nothing can be read
  // Why RocksDB must not open the database: it takes damage of some kinds for the end of its list of files,
  // and deletes the files it forgot; at others it aborts.
  std::optional<std::string> unreadable;
};

// `path` is that of the spool, whose database is in db/. With `write` a file that is changed is first copied
// to set-aside/; without it nothing is touched. Errors: kIo, kNoSpace, when a copy cannot be made.
conf::Result<CareReport> look_after(const std::string& path, const SyncMarks& marks, bool write);

}  // namespace relay::spool
