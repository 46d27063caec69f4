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

}  // namespace

DiskState judge_disk(uint64_t free_bytes, bool read_only, uint64_t reserve_bytes, bool was_enough) {
  DiskState state;
  state.free_bytes = free_bytes;
  const uint64_t wanted = was_enough ? reserve_bytes : reserve_bytes + reserve_bytes / 16;
  if (read_only) {
    state.enough = false;
    state.why = "the spool's file system is mounted read-only";
  } else if (free_bytes < wanted) {
    state.enough = false;
    state.why =
        "disk space is low: " + size_text(free_bytes) + " free, the reserve is " + size_text(reserve_bytes);
  }
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
  return Space{static_cast<uint64_t>(info.f_bavail) * info.f_frsize, (info.f_flag & ST_RDONLY) != 0};
}

void DiskWatch::look() {
  const conf::Result<Space> space = [this] {
    const conf::DiskCall under_way("asking for the free space of", path_);
    return ask_(path_);
  }();
  const std::lock_guard lock(mutex_);
  state_ = space.ok()
               ? judge_disk(space.value().free_bytes, space.value().read_only, reserve_bytes_, state_.enough)
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
