#include "bounce/ledger/address_table.h"

namespace bounce {

AddressStanding AddressTable::standing(uint64_t key) const {
  if (rows_ == 0) return {};
  const size_t mask = words_.size() - 1;
  for (size_t at = home(key);; at = (at + 1) & mask) {
    const uint64_t word = words_[at];
    if (word == 0) return {};
    if (((word ^ key) & ~kStatusMask) == 0)
      return {static_cast<AddressStatus>(word & kStatusMask), reasons_[at]};
  }
}

void AddressTable::set(uint64_t key, AddressStatus status, uint8_t reason) {
  const bool remove = status == AddressStatus::kUnknown || status == AddressStatus::kValid;
  if (!remove && (rows_ + 1) * 4 > words_.size() * 3) resize(words_.size() * 2);
  const size_t mask = words_.size() - 1;
  size_t at = home(key);
  while (words_[at] != 0 && ((words_[at] ^ key) & ~kStatusMask) != 0) at = (at + 1) & mask;
  if (remove) {
    if (words_[at] != 0) erase_at(at);
    return;
  }
  rows_ += words_[at] == 0 ? 1 : 0;
  words_[at] = (key & ~kStatusMask) | static_cast<uint64_t>(status);
  reasons_[at] = reason;
}

// The rows behind move up, so that no mark of a removed one is needed.
void AddressTable::erase_at(size_t hole) {
  const size_t mask = words_.size() - 1;
  for (size_t at = (hole + 1) & mask; words_[at] != 0; at = (at + 1) & mask) {
    const size_t wanted = home(words_[at]);
    if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
    words_[hole] = words_[at];
    reasons_[hole] = reasons_[at];
    hole = at;
  }
  words_[hole] = 0;
  --rows_;
}

void AddressTable::reserve(uint64_t rows) {
  size_t words = words_.size();
  while ((rows + 1) * 4 > words * 3) words *= 2;
  if (words != words_.size()) resize(words);
}

void AddressTable::resize(size_t words) {
  decltype(words_) old(words, 0);
  decltype(reasons_) old_reasons(words, 0);
  old.swap(words_);
  old_reasons.swap(reasons_);
  const size_t mask = words_.size() - 1;
  for (size_t i = 0; i < old.size(); ++i) {
    if (old[i] == 0) continue;
    size_t at = home(old[i]);
    while (words_[at] != 0) at = (at + 1) & mask;
    words_[at] = old[i];
    reasons_[at] = old_reasons[i];
  }
}

}  // namespace bounce
