// Takes what is ours out of a table file of RocksDB that RocksDB itself cannot read any more, or not all of
// it: every value has a checksum of its own, so that it is recognised without the lists of the file. The
// layout of an entry is that of RocksDB 7 (table/block_based/block_builder.cc) without compression. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relay::spool {

struct TableEntry {
  enum class Kind : uint8_t { kRecord, kState, kBody, kBodyElsewhere, kValue, kRemoved };
  std::string key;
  uint64_t sequence = 0;  // the higher, the newer; over all files of a database
  Kind kind = Kind::kRemoved;
  std::string_view value;  // with its header, verified; empty for kBodyElsewhere (in a blob file), kRemoved
};

// In the order of the file. The values point into `file`.
std::vector<TableEntry> read_table(std::string_view file);

}  // namespace relay::spool
