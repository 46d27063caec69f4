// A hash map, cut in parts: each grows by itself, so that no insertion moves more than a small share of what
// is there and stops the loop. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

namespace conf {

template <typename Key, typename Value>
class PartedMap {
 public:
  // Null: there is none. Good until the key is erased.
  Value* find(const Key& key) {
    Part& part = part_of(key);
    const auto found = part.find(key);
    return found == part.end() ? nullptr : &found->second;
  }
  const Value* find(const Key& key) const { return const_cast<PartedMap*>(this)->find(key); }
  bool contains(const Key& key) const { return find(key) != nullptr; }
  // A fresh one when there is none.
  Value& operator[](const Key& key) {
    const auto [place, fresh] = part_of(key).try_emplace(key);
    size_ += fresh ? 1 : 0;
    return place->second;
  }
  void erase(const Key& key) { size_ -= part_of(key).erase(key); }
  void clear() {
    for (Part& part : parts_) part.clear();
    size_ = 0;
  }
  size_t size() const { return size_; }
  template <typename Use>
  void for_each(const Use& use) const {
    for (const Part& part : parts_) {
      for (const auto& [key, value] : part) use(key, value);
    }
  }

 private:
  using Part = std::unordered_map<Key, Value>;
  static constexpr int kBits = 10;
  // Fibonacci hashing: std::hash leaves numbers as they are, and ids of one moment differ in their lowest
  // bits only.
  Part& part_of(const Key& key) {
    return parts_[(uint64_t{std::hash<Key>()(key)} * 0x9e3779b97f4a7c15ULL) >> (64 - kBits)];
  }

  std::array<Part, size_t{1} << kBits> parts_;
  size_t size_ = 0;
};

}  // namespace conf
