// Files that wait for the disk instead of failing. When the disk is full, read-only or does not write, or
// when there is no descriptor left, a write waits until it goes on, and continues exactly where it stopped;
// what a failed sync may have lost is written again. So the store never sees such an error, which it could
// not undo: its log would end in the middle of a record. Meanwhile new mail is refused, see SpoolHealth. Only
// rocks_spool uses this.
#pragma once

#include <rocksdb/env.h>

#include <memory>

#include "relay/spool/disk_patience.h"
#include "relay/spool/sync_marks.h"

namespace relay::spool {

// An environment like rocksdb::Env::Default() whose files are patient. The write-ahead logs and the
// MANIFEST are marked in `marks`.
std::unique_ptr<rocksdb::Env> make_patient_env(std::shared_ptr<DiskPatience> patience,
                                               std::shared_ptr<SyncMarks> marks);

}  // namespace relay::spool
