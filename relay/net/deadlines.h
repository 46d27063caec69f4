// Deadlines of many streams, cheap to move: nearly every deadline is set anew long before it comes. A
// deadline that moves later only notes its new time; the heap learns of it when the old time comes. One
// thread; time is passed in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "conf/vocab/indexed_heap.h"
#include "conf/vocab/time.h"

namespace relay {

class Deadlines;

// One deadline; destroying it takes it out.
class Deadline {
 public:
  Deadline() = default;
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();
  void* owner = nullptr;

 private:
  friend class Deadlines;
  static constexpr size_t kOut = SIZE_MAX;
  Deadlines* all_ = nullptr;
  conf::Instant when_ = conf::kNever;    // what was asked for
  conf::Instant queued_ = conf::kNever;  // where it stands in the heap: not later than when_
  size_t index_ = kOut;
};

class Deadlines {
 public:
  // kNever clears. Amortized O(1) when `when` only moves later, else O(log n).
  void set(Deadline* deadline, conf::Instant when);
  void erase(Deadline* deadline);
  // The next one that has come (its time is cleared), or null.
  Deadline* pop(conf::Instant now);
  // Not later than the first deadline: nothing comes before it.
  conf::Instant next() const { return heap_.empty() ? conf::kNever : heap_.front()->queued_; }
  size_t size() const { return heap_.size(); }

 private:
  struct ByTime {
    static conf::Instant at(const Deadline& deadline) { return deadline.queued_; }
    static void put(Deadline* deadline, size_t place) { deadline->index_ = place; }
  };
  conf::IndexedHeap<Deadline, ByTime> heap_;
};

}  // namespace relay
