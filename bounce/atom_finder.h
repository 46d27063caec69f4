// Finds which of many short strings occur in a text, in one pass: three octets at each place name the few
// strings that may begin there. All of it fits into the first caches, which a table of states (Aho and
// Corasick) would not.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bounce {

class AtomFinder {
 public:
  static constexpr size_t kLeast = 3;  // octets of an atom

  // Their places are what find() answers with. No atom may be shorter than kLeast.
  explicit AtomFinder(const std::vector<std::string>& atoms);

  // The places of the atoms that occur in `text`, each once, in no order. Any thread.
  void find(std::string_view text, std::vector<int>* found) const;

 private:
  struct Atom {
    uint64_t first = 0;  // its first octets, eight at most, the others 0
    uint64_t mask = 0;   // all bits of these
    uint32_t begin = 0;  // in text_
    uint32_t size = 0;
    int place = 0;
  };
  struct Bucket {
    uint32_t key = 0;             // the three octets; 0: empty
    uint32_t begin = 0, end = 0;  // in sorted_
  };
  static constexpr size_t kBits = 1 << 15;
  const Bucket* bucket_of(uint32_t key) const;

  std::array<uint64_t, kBits / 64> may_begin_{};  // by the hash of three octets
  std::vector<Bucket> buckets_;                   // open addressing, a power of two
  std::vector<Atom> sorted_;
  std::string text_;
};

}  // namespace bounce
