// Statuses of addresses in memory, for the look-up at RCPT: 60 bits of the keyed fingerprint and 4 of the
// status in each word of a flat table, linear probing, at most 3/4 full; reasons stand in a table beside it.
// 10 million rows: 144 MB, about one cache miss a look-up. An address that is not in a table of n rows meets
// a row of another with probability n / 2^60: 10^-11 with 10 million, one false refusal in a hundred thousand
// million recipients. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "bounce/ledger/huge_pages.h"
#include "bounce/quarantine.h"

namespace bounce {

class AddressTable {
 public:
  AddressTable() : words_(kLeast, 0), reasons_(kLeast, 0) {}

  // kUnknown: not there.
  AddressStatus find(uint64_t key) const { return standing(key).status; }
  AddressStanding standing(uint64_t key) const;  // reads the reason only of rows that are there
  // kUnknown and kValid remove the row. O(1), but for the doubling: reserve() avoids it.
  void set(uint64_t key, AddressStatus status, uint8_t reason = 0);
  void reserve(uint64_t rows);
  uint64_t size() const { return rows_; }
  uint64_t memory_bytes() const { return words_.size() * (sizeof(uint64_t) + 1); }

 private:
  static constexpr size_t kLeast = 1024;
  static constexpr uint64_t kStatusMask = 15;
  size_t home(uint64_t key) const { return static_cast<size_t>(key >> 4) & (words_.size() - 1); }
  void resize(size_t words);
  void erase_at(size_t at);

  std::vector<uint64_t, HugePages<uint64_t>> words_;  // a power of two; 0: empty
  std::vector<uint8_t, HugePages<uint8_t>> reasons_;  // of the same places
  uint64_t rows_ = 0;
};

}  // namespace bounce
