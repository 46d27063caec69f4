// What RocksDB says about itself, in the file LOG of its folder: warnings and errors. A line that cannot be
// written is dropped; RocksDB's own logger takes a full disk for a fault of the program. Only the spool uses
// this.
#pragma once

#include <rocksdb/env.h>

#include <memory>
#include <string>

namespace relay::spool {

// `folder` exists. Writes LOG there, and keeps one older file, LOG.old. Thread-safe.
std::shared_ptr<rocksdb::Logger> make_rocks_log(const std::string& folder);

}  // namespace relay::spool
