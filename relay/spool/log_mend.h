// Finds and mends damage in a log file of RocksDB: the write-ahead log and the MANIFEST have the same frame,
// blocks of 32 KiB with records that carry a CRC-32C each. RocksDB takes a record with a flipped length for
// the cut end that a crash leaves, and passes over all behind it without a word. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relay::spool {

struct LogDamage {
  uint64_t at = 0;      // in the file
  uint64_t size = 0;    // octets
  bool mended = false;  // one bit was wrong, and is right again
};

struct LogReport {
  std::vector<LogDamage> damage;
  uint64_t whole = 0;   // octets before the first that cannot be read
  bool cut = false;     // the file ends before `promised`
  bool mended() const;  // all of it, and there was some
  bool spoilt() const;  // some of it cannot be mended
};

// Looks through `file`, and sets the bits right that can be. What begins at `promised` or behind is not
// looked at once something there is wrong: a crash cuts the end off.
LogReport mend_log(std::string* file, uint64_t promised);

// Puts a record that says nothing in the place of each one that is spoilt, so that what follows is read. Only
// for a write-ahead log. Returns what was in their place.
std::vector<std::string> blank_spoilt(std::string* file, const LogReport& report);

// The contents of all records that are whole, in their order.
std::vector<std::string> read_log(std::string_view file);

// The keys of messages whose records stand in such a piece, as far as they can be recognised.
std::vector<uint64_t> messages_in(std::string_view piece);

}  // namespace relay::spool
