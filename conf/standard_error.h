// Lines for people on standard error, which the service manager keeps. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace conf {

// One line, "penstock: " before it. Never waits while a StandardErrorWriter is at work, else until it is
// written.
void say(std::string line);

// While it lives a thread writes what is said: whoever reads may stand still, and mail goes on. At most kMost
// lines wait; those beyond are lost, which is said when there is room again. One at a time.
class StandardErrorWriter {
 public:
  static constexpr size_t kMost = 1000;
  StandardErrorWriter();
  // Writes what waits, if it is read; does not wait for long.
  ~StandardErrorWriter();
  StandardErrorWriter(const StandardErrorWriter&) = delete;
  StandardErrorWriter& operator=(const StandardErrorWriter&) = delete;

 private:
  friend void say(std::string line);
  void add(std::string line);
  void run();
  bool write_out(std::string_view text);

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::string> lines_;
  uint64_t lost_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace conf
