#include "relay/spool/read_queue.h"

#include <utility>

namespace relay::spool {

ReadQueue::ReadQueue() : thread_([this] { run(); }) {}

ReadQueue::~ReadQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  thread_.join();
}

void ReadQueue::submit(std::function<void()> read) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(read));
  }
  work_.notify_one();
}

void ReadQueue::flush() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [&] { return waiting_.empty() && !busy_; });
}

void ReadQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::function<void()> read = std::move(waiting_.front());
    waiting_.pop_front();
    busy_ = true;
    lock.unlock();
    read();
    read = nullptr;
    lock.lock();
    busy_ = false;
    idle_.notify_all();
  }
}

}  // namespace relay::spool
