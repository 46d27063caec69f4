// Finds which of many short strings occur in a text, all in one pass (Aho and Corasick, 1975).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bounce {

class AtomFinder {
 public:
  // `atoms` must not be empty strings; their places are what find() answers with.
  explicit AtomFinder(const std::vector<std::string>& atoms);

  // The places of the atoms that occur in `text`, each once, in no order. O(text + matches). Any thread.
  void find(std::string_view text, std::vector<int>* found) const;

 private:
  static constexpr uint32_t kNone = 0xFFFFFFFF;
  uint32_t step(uint32_t state, unsigned char c) const { return next_[state * classes_ + class_of_[c]]; }

  size_t atoms_ = 0;
  uint32_t classes_ = 1;  // class 0: octets of no atom
  std::array<uint8_t, 256> class_of_{};
  std::vector<uint32_t> next_;    // state * classes_ + class -> state
  std::vector<uint32_t> output_;  // state -> head of its list in `hits_`, or kNone
  struct Hit {
    int atom;
    uint32_t next;  // in `hits_`, or kNone
  };
  std::vector<Hit> hits_;
};

}  // namespace bounce
