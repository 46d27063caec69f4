// Watches the free space of the spool's file system against the reserve of the configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace relay::spool {

struct DiskState {
  uint64_t free_bytes = 0;
  bool enough = true;
  std::string why;  // when not
};

// The rule alone, without a disk. Below the reserve: not enough; then only from a sixteenth above it enough
// again, so that the answer does not flap.
DiskState judge_disk(uint64_t free_bytes, bool read_only, uint64_t reserve_bytes, bool was_enough);

class DiskWatch {
 public:
  DiskWatch(std::string path, uint64_t reserve_bytes)
      : path_(std::move(path)), reserve_bytes_(reserve_bytes) {}
  // Any thread. Asks the system at most once a second.
  DiskState state();

 private:
  const std::string path_;
  const uint64_t reserve_bytes_;
  std::mutex mutex_;
  bool asked_ = false;
  std::chrono::steady_clock::time_point asked_at_;
  DiskState state_;
};

}  // namespace relay::spool
