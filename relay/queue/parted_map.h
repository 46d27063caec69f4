// A hash map by message id, cut in parts: each grows by itself, so that no insertion moves more than a small
// share of what is there and stops the loop. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "conf/vocab/envelope.h"

namespace relay::queue {

template <typename Value>
class PartedMap {
 public:
  // Null: there is none. Good until the key is erased.
  Value* find(conf::MessageId id) {
    Part& part = part_of(id);
    const auto found = part.find(id);
    return found == part.end() ? nullptr : &found->second;
  }
  const Value* find(conf::MessageId id) const { return const_cast<PartedMap*>(this)->find(id); }
  bool contains(conf::MessageId id) const { return find(id) != nullptr; }
  // A fresh one when there is none.
  Value& operator[](conf::MessageId id) {
    const auto [place, fresh] = part_of(id).try_emplace(id);
    size_ += fresh ? 1 : 0;
    return place->second;
  }
  void erase(conf::MessageId id) { size_ -= part_of(id).erase(id); }
  size_t size() const { return size_; }
  template <typename Use>
  void for_each(const Use& use) const {
    for (const Part& part : parts_) {
      for (const auto& [id, value] : part) use(id, value);
    }
  }

 private:
  using Part = std::unordered_map<conf::MessageId, Value>;
  static constexpr int kBits = 10;
  // Fibonacci hashing: ids of one moment differ in their lowest bits only.
  Part& part_of(conf::MessageId id) { return parts_[(id * 0x9e3779b97f4a7c15ULL) >> (64 - kBits)]; }

  std::array<Part, size_t{1} << kBits> parts_;
  size_t size_ = 0;
};

}  // namespace relay::queue
