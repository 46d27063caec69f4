// Times many short works, each of which would be a step of the loop.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <ctime>

namespace blocked {

// Of this thread: what others do on the machine does not count.
inline double cpu_ms() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// The slowest of many short works, and all of them together.
class Phase {
 public:
  explicit Phase(const char* name) : name_(name) {}
  template <typename Work>
  void run(const Work& work) {
    const double began = cpu_ms();
    work();
    const double took = cpu_ms() - began;
    longest_ = std::max(longest_, took);
    all_ += took;
    ++steps_;
  }
  ~Phase() {
    std::printf("%-44s %9zu steps, %9.1f ms in all, longest %6.3f ms (CPU)\n", name_, steps_, all_, longest_);
    if (longest_ > longest_of_all) {
      longest_of_all = longest_;
      slowest = name_;
    }
  }
  static inline double longest_of_all = 0;
  static inline const char* slowest = "";

 private:
  const char* name_;
  double longest_ = 0, all_ = 0;
  size_t steps_ = 0;
};

}  // namespace blocked
