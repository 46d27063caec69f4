// A thread that carries out reads one after the other, so that they neither block the loop nor delay commits.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace relay::spool {

class ReadQueue {
 public:
  ReadQueue();
  // Carries out what is waiting, then ends the thread.
  ~ReadQueue();
  ReadQueue(const ReadQueue&) = delete;
  ReadQueue& operator=(const ReadQueue&) = delete;

  void submit(std::function<void()> read);
  // Waits until all that was submitted is done.
  void flush();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> waiting_;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace relay::spool
