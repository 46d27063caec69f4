// Watches the free space, and the free inodes, of the spool's file system against the reserve of the
// configuration, on a thread of its own: a file system that does not answer must not stop who asks.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "conf/vocab/result.h"

namespace relay::spool {

struct DiskState {
  uint64_t free_bytes = 0;
  bool enough = true;
  std::string why;                      // when not
  std::optional<uint64_t> free_inodes;  // see DiskSpace
};

struct DiskSpace {
  uint64_t free_bytes = 0;
  bool read_only = false;
  std::optional<uint64_t> free_inodes;  // nothing: the file system makes them as they are needed
};

// A spool makes few files; so many it wants to be able to make.
inline constexpr uint64_t kInodesReserve = 100;

// The rule alone, without a disk. Below the reserve of room or of inodes: not enough; then only from a
// sixteenth above it enough again, so that the answer does not flap.
DiskState judge_disk(const DiskSpace& space, uint64_t reserve_bytes, bool was_enough);

class DiskWatch {
 public:
  using Space = DiskSpace;
  // What the system says of the path; may take its time.
  using Ask = std::function<conf::Result<Space>(const std::string& path)>;

  // Asks once before it returns, then every second.
  DiskWatch(std::string path, uint64_t reserve_bytes, Ask ask = ask_system);
  ~DiskWatch();
  // As it was seen a moment ago. Any thread; waits for nothing.
  DiskState state() const;

  static conf::Result<Space> ask_system(const std::string& path);

 private:
  void look();
  void run();

  const std::string path_;
  const uint64_t reserve_bytes_;
  const Ask ask_;
  mutable std::mutex mutex_;  // never held while the system is asked
  std::condition_variable end_;
  bool ending_ = false;
  DiskState state_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace relay::spool
