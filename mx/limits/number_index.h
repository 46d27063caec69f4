// Finds the number that belongs to a name. Holds hashes and numbers only, in an open table (linear probing):
// some 14 bytes a name, where a map of strings takes four times as much. Whoever owns the names says whether
// a number has the name that is looked for. One thread; O(1), but for the growth now and then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mx {

class NumberIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // `is(number)` is asked for the numbers of the same hash. kNone: there is no such name.
  template <typename Is>
  uint32_t find(uint32_t hash, const Is& is) const {
    if (slots_.empty()) return kNone;
    for (size_t i = home(hash); slots_[i].number != kNone; i = next(i)) {
      if (slots_[i].hash == hash && is(slots_[i].number)) return slots_[i].number;
    }
    return kNone;
  }
  // `number` is not in it, nor is its name.
  void insert(uint32_t hash, uint32_t number) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    put({hash, number});
    ++size_;
  }
  void erase(uint32_t hash, uint32_t number) {
    size_t hole = home(hash);
    while (slots_[hole].number != number) hole = next(hole);
    // Whoever stands behind and would not be found any more moves up.
    for (size_t i = next(hole); slots_[i].number != kNone; i = next(i)) {
      const size_t way = (i - home(slots_[i].hash)) & (slots_.size() - 1);
      if (way < ((i - hole) & (slots_.size() - 1))) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole] = {};
    --size_;
  }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t number = kNone;
  };
  size_t home(uint32_t hash) const { return hash & (slots_.size() - 1); }
  size_t next(size_t i) const { return (i + 1) & (slots_.size() - 1); }
  void put(const Slot& slot) {
    size_t i = home(slot.hash);
    while (slots_[i].number != kNone) i = next(i);
    slots_[i] = slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 4 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number != kNone) put(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two
  size_t size_ = 0;
};

}  // namespace mx
