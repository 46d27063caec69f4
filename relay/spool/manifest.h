// Reads what the care of the database needs of RocksDB's list of its files. The layout is that of RocksDB 7
// (db/version_edit.cc). Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace relay::spool {

// All write-ahead logs with lower numbers had been written out into tables, so that they may be gone. 0: the
// list does not say.
uint64_t oldest_log_needed(std::string_view manifest);

}  // namespace relay::spool
