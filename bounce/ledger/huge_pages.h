// An allocator for a table that is read at random and larger than the caches: large blocks are asked for in
// pages of 2 MB, so that a look-up misses one line of memory and not also the tables of its small page. Where
// the system has none to give, it is ordinary memory.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

#include "conf/vocab/check.h"

namespace bounce {

template <typename T>
struct HugePages {
  using value_type = T;
  static constexpr std::size_t kPage = 2UL << 20;

  HugePages() = default;
  template <typename U>
  explicit HugePages(const HugePages<U>& /*other*/) {}

  T* allocate(std::size_t count) {
    const std::size_t octets = count * sizeof(T);
    if (octets < 2 * kPage) return static_cast<T*>(::operator new(octets));
    void* block = std::aligned_alloc(kPage, (octets + kPage - 1) / kPage * kPage);
    CHECK(block != nullptr);
    (void)::madvise(block, octets, MADV_HUGEPAGE);
    return static_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t count) {
    if (count * sizeof(T) < 2 * kPage) {
      ::operator delete(block);
    } else {
      std::free(block);  // NOLINT(cppcoreguidelines-no-malloc): of aligned_alloc
    }
  }
  friend bool operator==(const HugePages& /*a*/, const HugePages& /*b*/) { return true; }
};

}  // namespace bounce
