#include "relay/spool/disk_patience.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "conf/standard_error.h"
#include "relay/spool/disk_watch.h"

namespace relay::spool {

namespace {

constexpr auto kPause = std::chrono::milliseconds(100);
constexpr unsigned kTellAfter = 20;    // pauses: two seconds
constexpr unsigned kOpeningFor = 100;  // likewise: ten seconds

// Its file system has room and cannot make a file: what gives way makes no inode free.
bool wants_inode(const std::string& file, int system_error) {
  if (system_error != ENOSPC) return false;
  const conf::Result<DiskSpace> space = DiskWatch::ask_system(file.substr(0, file.rfind('/') + 1));
  return space.ok() && space.value().free_inodes == uint64_t{0} && space.value().free_bytes > Ballast::kPiece;
}

conf::Error error_of(const std::string& file, int system_error, bool no_inode) {
  conf::ErrorCode code = conf::ErrorCode::kIo;
  std::string why = std::strerror(system_error);
  if (system_error == EROFS) code = conf::ErrorCode::kReadOnly;
  if (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG) {
    code = conf::ErrorCode::kNoSpace;
    why = no_inode ? "the disk has no inode left (df -i): delete or move small files on it"
                   : "the disk is full (" + why + ")";
  }
  return {code, "the spool cannot be written: " + file + ": " + why};
}

}  // namespace

bool DiskPatience::may_pass(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EROFS || system_error == EFBIG ||
         system_error == EIO || system_error == EMFILE || system_error == ENFILE;
}

bool DiskPatience::out_of_descriptors() {
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == EMFILE || errno == ENFILE;
  ::close(fd);
  return false;
}

std::optional<conf::Error> DiskPatience::stalled() const {
  const std::lock_guard lock(mutex_);
  return stalled_;
}

void DiskPatience::on_stall(std::function<void(const conf::Error&)> tell) {
  const std::lock_guard lock(telling_);
  tell_ = std::move(tell);
}

void DiskPatience::wait(const std::string& file, int system_error, unsigned* waited) {
  const bool no_inode = wants_inode(file, system_error);
  const conf::Error error = error_of(file, system_error, no_inode);
  if (error.code == conf::ErrorCode::kNoSpace && !no_inode && ballast_ != nullptr) {
    if (!ballast_->short_of_room())
      conf::say(error.detail +
                "; new mail is refused, deliveries go on and are recorded in the room kept for this");
    if (ballast_->give_way()) return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (!stalled_) conf::say(error.detail + "; waiting, new mail is refused and deliveries pause meanwhile");
    stalled_ = error;
    waiting_ = true;
  }
  if (++*waited >= kTellAfter) {
    const std::lock_guard lock(telling_);
    if (tell_) tell_(error);
  }
  if (opening_ && *waited >= kOpeningFor) {
    std::fprintf(stderr, "penstock: the spool cannot be opened: %s\n", error.detail.c_str());
    std::_Exit(1);
  }
  std::this_thread::sleep_for(kPause);
}

void DiskPatience::moved_on() {
  const std::lock_guard lock(mutex_);
  if (!stalled_) return;
  stalled_.reset();
  waiting_ = false;
  conf::say("the spool can be written again");
}

}  // namespace relay::spool
