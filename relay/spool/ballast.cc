#include "relay/spool/ballast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "conf/standard_error.h"

namespace relay::spool {

namespace {

uint64_t free_bytes_at(const std::string& path) {
  struct statvfs info {};
  return ::statvfs(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.f_bavail) * info.f_frsize : 0;
}

}  // namespace

Ballast::Ballast(const std::string& folder, uint64_t reserve_bytes)
    : path_(folder + "/ballast"), reserve_bytes_(reserve_bytes) {
  struct stat info {};
  if (::stat(path_.c_str(), &info) == 0) {
    // What really lies there: on some file systems a file can be long and hold no room.
    size_ = std::min(static_cast<uint64_t>(info.st_size), static_cast<uint64_t>(info.st_blocks) * 512);
    size_ = std::min(size_, kSize);
    given_ = size_ < kSize;  // until fill() says otherwise
  }
}

bool Ballast::give_way() {
  const std::lock_guard lock(mutex_);
  given_ = true;
  if (size_ == 0) return false;
  const uint64_t smaller = size_ - std::min(size_, kPiece);
  if (::truncate(path_.c_str(), static_cast<off_t>(smaller)) != 0) return false;
  size_ = smaller;
  return true;
}

void Ballast::fill() {
  const std::lock_guard lock(mutex_);
  const uint64_t free = free_bytes_at(path_.substr(0, path_.rfind('/')));
  // A disk that has hardly more than this is left alone: it would only flap.
  if (size_ < kSize && free >= reserve_bytes_ + (kSize - size_) + kSize) {
    const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    const int failed = ::posix_fallocate(fd, 0, static_cast<off_t>(kSize));
    if (failed != 0) (void)!::ftruncate(fd, static_cast<off_t>(size_));
    ::close(fd);
    if (failed == 0) size_ = kSize;
  }
  if (!given_ || (size_ < kSize && free < reserve_bytes_ + 2 * kPiece)) return;
  given_ = false;
  conf::say("the disk of the spool has room again");
}

bool Ballast::has_room(uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  return size_ + free_bytes_at(path_.substr(0, path_.rfind('/'))) >= bytes;
}

}  // namespace relay::spool
