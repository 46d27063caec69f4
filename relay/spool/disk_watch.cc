#include "relay/spool/disk_watch.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

namespace relay::spool {

DiskState judge_disk(uint64_t free_bytes, bool read_only, uint64_t reserve_bytes, bool was_enough) {
  DiskState state;
  state.free_bytes = free_bytes;
  const uint64_t wanted = was_enough ? reserve_bytes : reserve_bytes + reserve_bytes / 16;
  if (read_only) {
    state.enough = false;
    state.why = "the spool's file system is mounted read-only";
  } else if (free_bytes < wanted) {
    state.enough = false;
    state.why = "disk space is low: " + std::to_string(free_bytes >> 20) + " MiB free, the reserve is " +
                std::to_string(reserve_bytes >> 20) + " MiB";
  }
  return state;
}

DiskState DiskWatch::state() {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (asked_ && now - asked_at_ < std::chrono::seconds(1)) return state_;
  asked_ = true;
  asked_at_ = now;
  struct statvfs info {};
  if (::statvfs(path_.c_str(), &info) != 0) {
    state_ = DiskState{0, false, "cannot ask for the free space of " + path_ + ": " + std::strerror(errno)};
    return state_;
  }
  const uint64_t free_bytes = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  state_ = judge_disk(free_bytes, (info.f_flag & ST_RDONLY) != 0, reserve_bytes_, state_.enough);
  return state_;
}

}  // namespace relay::spool
