#include "relay/spool/rocks_files.h"

#include <fcntl.h>
#include <rocksdb/file_system.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <utility>

namespace relay::spool {

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr auto kPause = std::chrono::milliseconds(100);
constexpr unsigned kTellAfter = 20;  // pauses: two seconds

bool may_pass(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EROFS || system_error == EFBIG;
}

conf::Error error_of(const std::string& file, int system_error) {
  const conf::ErrorCode code = system_error == EROFS ? conf::ErrorCode::kReadOnly : conf::ErrorCode::kNoSpace;
  return {code, "the spool cannot be written: " + file + ": " + std::strerror(system_error)};
}

IOStatus status_of(const std::string& file, int system_error) {
  return system_error == ENOSPC ? IOStatus::NoSpace(file, std::strerror(system_error))
                                : IOStatus::IOError(file, std::strerror(system_error));
}

class PatientFile final : public rocksdb::FSWritableFile {
 public:
  PatientFile(std::string name, int fd, uint64_t size, std::shared_ptr<DiskPatience> patience)
      : name_(std::move(name)), fd_(fd), size_(size), patience_(std::move(patience)) {}
  ~PatientFile() override {
    if (fd_ >= 0) ::close(fd_);
  }

  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    const char* at = data.data();
    size_t left = data.size();
    unsigned waited = 0;
    while (left > 0) {
      const ssize_t written = ::pwrite(fd_, at, left, static_cast<off_t>(size_));
      if (written > 0) {
        at += written;
        left -= static_cast<size_t>(written);
        size_ += static_cast<uint64_t>(written);
        continue;
      }
      const int why = written == 0 ? ENOSPC : errno;
      if (why == EINTR) continue;
      if (!may_pass(why) || !patience_->wait(name_, why, &waited)) return status_of(name_, why);
    }
    if (waited > 0) patience_->moved_on();
    return IOStatus::OK();
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return status_of(name_, errno);
    size_ = size;
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    const int closed = ::close(std::exchange(fd_, -1));
    return closed == 0 ? IOStatus::OK() : status_of(name_, errno);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return ::fdatasync(fd_) == 0 ? IOStatus::OK() : status_of(name_, errno);
  }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return ::fsync(fd_) == 0 ? IOStatus::OK() : status_of(name_, errno);
  }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }

 private:
  const std::string name_;
  int fd_;
  std::atomic<uint64_t> size_;
  const std::shared_ptr<DiskPatience> patience_;
};

class PatientFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit PatientFileSystem(std::shared_ptr<DiskPatience> patience)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), patience_(std::move(patience)) {}
  const char* Name() const override { return "penstock patient files"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext*) override {
    return open(name, O_TRUNC, out);
  }
  IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext*) override {
    return open(name, 0, out);
  }

 private:
  IOStatus open(const std::string& name, int flags, std::unique_ptr<rocksdb::FSWritableFile>* out) {
    unsigned waited = 0;
    int fd = -1;
    while ((fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0640)) < 0) {
      if (errno == EINTR) continue;
      if (errno == EROFS || !may_pass(errno) || !patience_->wait(name, errno, &waited))
        return status_of(name, errno);
    }
    if (waited > 0) patience_->moved_on();
    struct stat info {};
    if (::fstat(fd, &info) != 0) {
      const int why = errno;
      ::close(fd);
      return status_of(name, why);
    }
    *out = std::make_unique<PatientFile>(name, fd, static_cast<uint64_t>(info.st_size), patience_);
    return IOStatus::OK();
  }

  const std::shared_ptr<DiskPatience> patience_;
};

}  // namespace

std::optional<conf::Error> DiskPatience::stalled() const {
  const std::lock_guard lock(mutex_);
  return stalled_;
}

void DiskPatience::on_stall(std::function<void(const conf::Error&)> tell) {
  const std::lock_guard lock(telling_);
  tell_ = std::move(tell);
}

bool DiskPatience::wait(const std::string& file, int system_error, unsigned* waited) {
  const conf::Error error = error_of(file, system_error);
  {
    const std::lock_guard lock(mutex_);
    if (!stalled_)
      std::fprintf(stderr, "penstock: %s; waiting, new mail is refused meanwhile\n", error.detail.c_str());
    stalled_ = error;
  }
  if (++*waited >= kTellAfter) {
    const std::lock_guard lock(telling_);
    if (tell_) tell_(error);
  }
  std::this_thread::sleep_for(kPause);
  return true;
}

void DiskPatience::moved_on() {
  const std::lock_guard lock(mutex_);
  if (!stalled_) return;
  stalled_.reset();
  std::fprintf(stderr, "penstock: the spool can be written again\n");
}

std::unique_ptr<rocksdb::Env> make_patient_env(std::shared_ptr<DiskPatience> patience) {
  return rocksdb::NewCompositeEnv(std::make_shared<PatientFileSystem>(std::move(patience)));
}

}  // namespace relay::spool
