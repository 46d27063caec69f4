#include "relay/spool/disk_watch.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "conf/disk_call.h"

namespace relay::spool {

namespace {

constexpr auto kPeriod = std::chrono::seconds(1);

std::string size_text(uint64_t bytes) {
  constexpr uint64_t kMebi = uint64_t{1} << 20, kFew = 10 * kMebi;
  return bytes < kFew ? std::to_string(bytes >> 10) + " KiB" : std::to_string(bytes / kMebi) + " MiB";
}

DiskSpace space_of(const struct statvfs& info) {
  DiskSpace space;
  space.free_bytes = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  space.read_only = (info.f_flag & ST_RDONLY) != 0;
  if (info.f_files != 0) space.free_inodes = info.f_favail;
  return space;
}

}  // namespace

DiskState judge_disk(const DiskSpace& space, uint64_t reserve_bytes, bool was_enough) {
  DiskState state;
  state.free_bytes = space.free_bytes;
  state.free_inodes = space.free_inodes;
  const auto is_low = [was_enough](uint64_t free, uint64_t reserve) {
    return free < (was_enough ? reserve : reserve + reserve / 16);
  };
  if (space.read_only) {
    state.why = "the spool's file system is mounted read-only";
  } else if (is_low(space.free_bytes, reserve_bytes)) {
    state.why = "disk space is low: " + size_text(space.free_bytes) + " free, the reserve is " +
                size_text(reserve_bytes);
  } else if (space.free_inodes && is_low(*space.free_inodes, kInodesReserve)) {
    state.why = "the disk is running out of inodes: " + std::to_string(*space.free_inodes) +
                " free (df -i), however much space there is; delete or move small files on it";
  }
  state.enough = state.why.empty();
  return state;
}

DiskWatch::DiskWatch(std::string path, uint64_t reserve_bytes, Ask ask)
    : path_(std::move(path)), reserve_bytes_(reserve_bytes), ask_(std::move(ask)) {
  look();
  thread_ = std::thread([this] { run(); });
}

DiskWatch::~DiskWatch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  end_.notify_all();
  thread_.join();
}

DiskState DiskWatch::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

conf::Result<DiskWatch::Space> DiskWatch::ask_system(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) {
    return conf::Error{conf::ErrorCode::kIo,
                       "cannot ask for the free space of " + path + ": " + std::strerror(errno)};
  }
  return space_of(info);
}

void DiskWatch::look() {
  const conf::Result<Space> space = [this] {
    const conf::DiskCall under_way("asking for the free space of", path_);
    return ask_(path_);
  }();
  const std::lock_guard lock(mutex_);
  state_ = space.ok() ? judge_disk(space.value(), reserve_bytes_, state_.enough)
                      : DiskState{0, false, space.error().detail};
}

void DiskWatch::run() {
  std::unique_lock lock(mutex_);
  while (!end_.wait_for(lock, kPeriod, [this] { return ending_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

}  // namespace relay::spool
