// Which addresses took mail lately, for the outage guard: 16 bits of a fingerprint each, in two generations
// that take turns, so that an entry lives between half and the whole of `lifetime`. It may forget (a full
// bucket drops its oldest) and may be wrong: an address that never took mail is taken for known with a chance
// of at most 64 / 2^16, a tenth of a per cent. Both only blur the evidence. One thread writes; any may save.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "conf/vocab/result.h"
#include "conf/vocab/time.h"

namespace bounce {

class KnownAddresses {
 public:
  // Room for about `addresses`; 4 bytes each, which are only touched when used.
  KnownAddresses(uint64_t addresses, conf::Duration lifetime);

  bool knows(uint64_t key) const;
  // Whether it took mail before the present generation began: some time ago, and not just now.
  bool knew(uint64_t key) const { return has(1 - present_.load(std::memory_order_relaxed), key); }
  void add(uint64_t key, conf::WallTime now);

  // The whole of it in a file (written beside and renamed), and back. A file of another size or shape is not
  // read: the guard then learns anew.
  conf::Status save(const std::string& path) const;
  conf::Status load(const std::string& path);

 private:
  static constexpr size_t kBucket = 16;  // slots: half a cache line
  // Pages of the system's own, so that a whole generation is forgotten at once.
  class Slots {
   public:
    explicit Slots(size_t count);
    Slots(const Slots&) = delete;
    Slots& operator=(const Slots&) = delete;
    ~Slots();
    std::atomic<uint16_t>& operator[](size_t at) const { return slots_[at]; }
    void forget();  // all are 0 again

   private:
    std::atomic<uint16_t>* slots_;
    size_t octets_;
  };
  std::atomic<uint16_t>* bucket(size_t generation, uint64_t key, bool second) const;
  bool has(size_t generation, uint64_t key) const;

  size_t buckets_;  // a power of two
  conf::Duration half_life_;
  Slots slots_[2];
  std::atomic<bool> used_[2] = {false, false};  // whether anything stands there
  std::atomic<size_t> present_{0};
  std::atomic<int64_t> turned_{0};  // when the present generation began, microseconds
};

}  // namespace bounce
