// The spool on disk, in RocksDB. docs/spool.md says what lies where, and what a crash does.
//
// Bounds of the contract of spool.h: a load() runs beside the commits, so a remove() asked for after it may
// win (the load then gives kNotFound); an update() is for a message whose store() succeeded.
#pragma once

#include <memory>

#include "conf/config.h"
#include "conf/vocab/result.h"
#include "relay/spool/spool.h"

namespace relay::spool {

class RocksSpool {
 public:
  // Opens or makes the spool at settings.path. kRefused: another process has it; kIo, kNoSpace, kReadOnly and
  // kCorrupt say what the disk said.
  static conf::Result<std::unique_ptr<Spool>> open(const conf::SpoolSettings& settings);
};

}  // namespace relay::spool
