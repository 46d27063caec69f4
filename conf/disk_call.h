// Calls of the system that may hang: a disk, or the server of a file system, that answers neither yes nor no.
// Whoever makes one has a DiskCall meanwhile; a DiskWatcher tells people of one that lasts.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace conf {

// For one call, on the thread that makes it. Costs two uncontended locks and a look at the clock.
class DiskCall {
 public:
  // `doing` what, for people ("writing"), to which file or directory. Both are borrowed.
  DiskCall(std::string_view doing, const std::string& place);
  ~DiskCall();  // says that it goes on, where it was told of
  DiskCall(const DiskCall&) = delete;
  DiskCall& operator=(const DiskCall&) = delete;

 private:
  friend class DiskWatcher;
  using Clock = std::chrono::steady_clock;
  void tell(Clock::time_point now);

  const std::string_view doing_;
  const std::string& place_;
  const Clock::time_point began_ = Clock::now();
  bool told_ = false;
  DiskCall* next_ = nullptr;  // all that are under way
  DiskCall* previous_ = nullptr;
};

// While it lives a thread says on standard error which calls have been under way for `patience`, each once.
// One at a time.
class DiskWatcher {
 public:
  explicit DiskWatcher(std::chrono::milliseconds patience = std::chrono::seconds(10));
  ~DiskWatcher();
  DiskWatcher(const DiskWatcher&) = delete;
  DiskWatcher& operator=(const DiskWatcher&) = delete;

 private:
  void run();

  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable end_;
  bool ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace conf
