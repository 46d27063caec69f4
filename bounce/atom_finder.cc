#include "bounce/atom_finder.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "conf/vocab/check.h"

namespace bounce {
namespace {

uint32_t key_of(const char* three) {
  const auto octet = [&](int i) { return static_cast<uint32_t>(static_cast<unsigned char>(three[i])); };
  return octet(0) | octet(1) << 8 | octet(2) << 16;
}

// The first eight octets, 0 where there are none.
uint64_t first_octets(std::string_view text) {
  uint64_t octets = 0;
  if (text.size() >= sizeof octets) {
    std::memcpy(&octets, text.data(), sizeof octets);
  } else {
    std::memcpy(&octets, text.data(), text.size());
  }
  return octets;
}

uint32_t hash_of(uint32_t key) { return key * 2654435761U >> 17; }  // 15 bits (Knuth, multiplicative)

}  // namespace

AtomFinder::AtomFinder(const std::vector<std::string>& atoms) {
  size_t size = 64;
  while (size < 4 * atoms.size()) size *= 2;
  buckets_.resize(size);
  std::vector<size_t> order(atoms.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](size_t a, size_t b) { return atoms[a] < atoms[b]; });
  for (const size_t place : order) {
    const std::string& atom = atoms[place];
    CHECK(atom.size() >= kLeast);
    const uint32_t key = key_of(atom.data());
    const uint32_t hash = hash_of(key);
    may_begin_[hash / 64] |= uint64_t{1} << (hash % 64);
    sorted_.push_back(
        {first_octets(atom), first_octets(std::string(std::min<size_t>(atom.size(), 8), '\xff')),
         static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(atom.size()), static_cast<int>(place)});
    text_ += atom;
    size_t at = hash & (size - 1);
    while (buckets_[at].key != 0 && buckets_[at].key != key) at = (at + 1) & (size - 1);
    Bucket& bucket = buckets_[at];
    const auto here = static_cast<uint32_t>(sorted_.size() - 1);
    if (bucket.key == 0) bucket = {key, here, here};
    bucket.end = here + 1;
  }
}

const AtomFinder::Bucket* AtomFinder::bucket_of(uint32_t key) const {
  size_t at = hash_of(key) & (buckets_.size() - 1);
  while (buckets_[at].key != key) {
    if (buckets_[at].key == 0) return nullptr;
    at = (at + 1) & (buckets_.size() - 1);
  }
  return &buckets_[at];
}

void AtomFinder::find(std::string_view text, std::vector<int>* found) const {
  thread_local std::vector<uint64_t> seen;
  seen.assign(sorted_.size() / 64 + 1, 0);
  found->clear();
  for (size_t at = 0; at + kLeast <= text.size(); ++at) {
    const uint32_t key = key_of(text.data() + at);
    const uint32_t hash = hash_of(key);
    if ((may_begin_[hash / 64] >> (hash % 64) & 1) == 0) continue;
    const Bucket* bucket = bucket_of(key);
    if (bucket == nullptr) continue;
    const std::string_view rest = text.substr(at);
    const uint64_t first = first_octets(rest);
    for (uint32_t i = bucket->begin; i < bucket->end; ++i) {
      const Atom& atom = sorted_[i];
      if ((first & atom.mask) != atom.first || atom.size > rest.size()) continue;
      if (atom.size > 8 && std::memcmp(rest.data(), text_.data() + atom.begin, atom.size) != 0) continue;
      uint64_t& word = seen[i / 64];
      const uint64_t bit = uint64_t{1} << (i % 64);
      if ((word & bit) == 0) found->push_back(atom.place);
      word |= bit;
    }
  }
}

}  // namespace bounce
