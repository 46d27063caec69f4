// What one thread makes and another takes, in order, in batches, and never more than a few ahead. One thread
// puts and then closes, one drains.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace relay::spool {

template <typename T>
class Handover {
 public:
  static constexpr size_t kBatchWeight = 512;
  static constexpr size_t kBatchesAhead = 4;

  // Waits while the other is far behind. `weight` bounds what is in memory: a batch of more than kBatchWeight
  // is handed over.
  void put(T item, size_t weight = 1) {
    batch_.push_back(std::move(item));
    weight_ += weight;
    if (weight_ >= kBatchWeight) hand_over();
  }
  // The end: drain() returns when it has shown what is there.
  void close() {
    hand_over();
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  // Shows each item, until the other has closed and nothing is left.
  template <typename Use>
  void drain(const Use& use) {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closed_ || !ready_.empty(); });
      if (ready_.empty()) return;
      std::vector<T> batch = std::move(ready_.front());
      ready_.pop_front();
      changed_.notify_all();
      lock.unlock();
      for (T& item : batch) use(std::move(item));
    }
  }

 private:
  void hand_over() {
    weight_ = 0;
    if (batch_.empty()) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_.size() < kBatchesAhead; });
    ready_.push_back(std::exchange(batch_, {}));
    changed_.notify_all();
  }

  std::vector<T> batch_;  // of the one who puts
  size_t weight_ = 0;     // likewise
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<T>> ready_;
  bool closed_ = false;
};

}  // namespace relay::spool
