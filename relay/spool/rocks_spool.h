// The spool on disk, in RocksDB. The only file pair that knows RocksDB; docs/spool.md describes what lies where.
#pragma once

#include <memory>

#include "conf/config.h"
#include "conf/vocab/result.h"
#include "relay/spool/spool.h"

namespace relay::spool {

class RocksSpool {
 public:
  // Opens or makes the spool at settings.path. kRefused: another process has it; kIo, kNoSpace, kReadOnly, kCorrupt say
  // what the disk said.
  static conf::Result<std::unique_ptr<Spool>> open(const conf::SpoolSettings& settings);
};

}  // namespace relay::spool
