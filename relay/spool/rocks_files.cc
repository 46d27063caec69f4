#include "relay/spool/rocks_files.h"

#include <fcntl.h>
#include <rocksdb/file_system.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

#include "conf/disk_call.h"
#include "relay/spool/damaged_files.h"

namespace relay::spool {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// What is written and not synced is remembered, see sync(); with so much of it, it is synced at once.
constexpr size_t kMostUnsynced = 8 << 20;

IOStatus status_of(const std::string& file, int system_error) {
  return system_error == ENOSPC ? IOStatus::NoSpace(file, std::strerror(system_error))
                                : IOStatus::IOError(file, std::strerror(system_error));
}

struct MarkedFile {
  Marked kind = Marked::kLog;
  uint64_t number = 0;  // 0: no mark is kept of it
};

// One that is built anew has no marks before it is in its place.
MarkedFile marked_file(const std::filesystem::path& path) {
  if (path.parent_path().filename() != "db") return {};
  const std::string name = path.filename();
  if (const uint64_t log = number_in(name, "", ".log"); log != 0) return {Marked::kLog, log};
  return {Marked::kManifest, number_in(name, "MANIFEST-", "")};
}

// The memory of what is not synced, handed on from file to file: new pages for each of them cost more than
// the copy. Any thread.
class Buffers {
 public:
  std::string take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return {};
    std::string taken = std::move(free_.back());
    free_.pop_back();
    return taken;
  }
  void give_back(std::string buffer) {
    buffer.clear();
    const std::lock_guard lock(mutex_);
    if (free_.size() < kMostFree && buffer.capacity() <= 2 * kMostUnsynced)
      free_.push_back(std::move(buffer));
  }

 private:
  static constexpr size_t kMostFree = 3;  // the log, a flush, a compaction
  std::mutex mutex_;
  std::vector<std::string> free_;
};

class PatientFile final : public rocksdb::FSWritableFile {
 public:
  PatientFile(std::string name, int fd, uint64_t size, std::shared_ptr<DiskPatience> patience,
              std::shared_ptr<SyncMarks> marks, std::shared_ptr<Buffers> buffers)
      : name_(std::move(name)),
        marked_(marked_file(name_)),
        fd_(fd),
        size_(size),
        unsynced_(buffers->take()),
        unsynced_at_(size),
        patience_(std::move(patience)),
        marks_(std::move(marks)),
        buffers_(std::move(buffers)) {}
  ~PatientFile() override {
    if (fd_ >= 0) ::close(fd_);
    buffers_->give_back(std::move(unsynced_));
  }

  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(mutex_);
    const IOStatus status = write(data.data(), data.size(), size_);
    if (!status.ok()) return status;
    unsynced_.append(data.data(), data.size());
    size_ += data.size();
    return unsynced_.size() < kMostUnsynced ? IOStatus::OK() : sync(&::fdatasync);
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(mutex_);
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return status_of(name_, errno);
    size_ = size;
    unsynced_at_ = std::min(unsynced_at_, size);
    unsynced_.resize(std::min<uint64_t>(unsynced_.size(), size - unsynced_at_));
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    const int closed = ::close(std::exchange(fd_, -1));
    return closed == 0 ? IOStatus::OK() : status_of(name_, errno);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(mutex_);
    return sync(&::fdatasync);
  }
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(mutex_);
    return sync(&::fsync);
  }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }

 private:
  IOStatus write(const char* from, size_t left, uint64_t at) {
    unsigned waited = 0;
    while (left > 0) {
      ssize_t written = 0;
      int why = ENOSPC;  // when nothing was written and nothing is said
      {
        const conf::DiskCall under_way("writing", name_);
        written = ::pwrite(fd_, from, left, static_cast<off_t>(at));
        if (written < 0) why = errno;
      }
      if (written > 0) {
        from += written;
        left -= static_cast<size_t>(written);
        at += static_cast<uint64_t>(written);
        continue;
      }
      if (why == EINTR) continue;
      if (!DiskPatience::may_pass(why)) return status_of(name_, why);
      patience_->wait(name_, why, &waited);
    }
    if (waited > 0) patience_->moved_on();
    return IOStatus::OK();
  }

  // After a sync that failed the system may take octets for written that are not (fsync(2)), and the next
  // sync would succeed without them. So they are written again first.
  IOStatus sync(int (*call)(int)) {
    unsigned waited = 0;
    while (true) {
      int why = 0;
      {
        const conf::DiskCall under_way("syncing", name_);
        if (call(fd_) != 0) why = errno;
      }
      if (why == 0) break;
      if (why == EINTR) continue;
      if (!DiskPatience::may_pass(why)) return status_of(name_, why);
      patience_->wait(name_, why, &waited);
      const IOStatus again = write(unsynced_.data(), unsynced_.size(), unsynced_at_);
      if (!again.ok()) return again;
    }
    if (waited > 0) patience_->moved_on();
    unsynced_.clear();
    if (unsynced_.capacity() > 2 * kMostUnsynced) unsynced_.shrink_to_fit();
    unsynced_at_ = size_;
    if (marked_.number != 0) marks_->synced(marked_.kind, marked_.number, size_);
    return IOStatus::OK();
  }

  const std::string name_;
  const MarkedFile marked_;
  std::mutex mutex_;
  int fd_;
  std::atomic<uint64_t> size_;
  std::string unsynced_;
  uint64_t unsynced_at_;  // where they stand
  const std::shared_ptr<DiskPatience> patience_;
  const std::shared_ptr<SyncMarks> marks_;
  const std::shared_ptr<Buffers> buffers_;
};

// What another file system does, again and again while there is no descriptor for it.
template <typename Call>
IOStatus patiently(const std::string& name, DiskPatience* patience, const Call& call) {
  unsigned waited = 0;
  IOStatus status = call();
  while (!status.ok() && status.IsIOError() && !status.IsPathNotFound()) {
    if (!DiskPatience::out_of_descriptors()) {
      status = call();  // there may be some again
      break;
    }
    patience->wait(name, EMFILE, &waited);
    status = call();
  }
  if (waited > 0) patience->moved_on();
  return status;
}

class PatientDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  PatientDirectory(std::string name, std::unique_ptr<rocksdb::FSDirectory> directory,
                   std::shared_ptr<DiskPatience> patience)
      : FSDirectoryWrapper(std::move(directory)), name_(std::move(name)), patience_(std::move(patience)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* context) override {
    return sync([&] { return FSDirectoryWrapper::Fsync(options, context); });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* context,
                               const rocksdb::DirFsyncOptions& what) override {
    return sync([&] { return FSDirectoryWrapper::FsyncWithDirOptions(options, context, what); });
  }

 private:
  template <typename Call>
  IOStatus sync(const Call& call) {
    const auto told = [&] {
      const conf::DiskCall under_way("syncing", name_);
      return call();
    };
    unsigned waited = 0;
    IOStatus status = told();
    while (!status.ok() && status.IsIOError()) {
      patience_->wait(name_, EIO, &waited);
      status = told();
    }
    if (waited > 0) patience_->moved_on();
    return status;
  }
  const std::string name_;
  const std::shared_ptr<DiskPatience> patience_;
};

class PatientFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  PatientFileSystem(std::shared_ptr<DiskPatience> patience, std::shared_ptr<SyncMarks> marks)
      : FileSystemWrapper(rocksdb::FileSystem::Default()),
        patience_(std::move(patience)),
        marks_(std::move(marks)) {}
  const char* Name() const override { return "penstock patient files"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext*) override {
    return open(name, O_TRUNC, out);
  }
  IOStatus ReopenWritableFile(const std::string& name, const FileOptions&,
                              std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext*) override {
    return open(name, 0, out);
  }
  IOStatus NewSequentialFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* out,
                             IODebugContext* context) override {
    return patiently(name, patience_.get(),
                     [&] { return target()->NewSequentialFile(name, options, out, context); });
  }
  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* out,
                               IODebugContext* context) override {
    return patiently(name, patience_.get(),
                     [&] { return target()->NewRandomAccessFile(name, options, out, context); });
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* out, IODebugContext* context) override {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    IOStatus status = patiently(name, patience_.get(),
                                [&] { return target()->NewDirectory(name, options, &directory, context); });
    if (status.ok()) *out = std::make_unique<PatientDirectory>(name, std::move(directory), patience_);
    return status;
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions& options, IODebugContext* context) override {
    marks_->removed(marked_file(name).number);
    return target()->DeleteFile(name, options, context);
  }
  IOStatus GetChildren(const std::string& name, const IOOptions& options, std::vector<std::string>* out,
                       IODebugContext* context) override {
    return patiently(name, patience_.get(),
                     [&] { return target()->GetChildren(name, options, out, context); });
  }

 private:
  IOStatus open(const std::string& name, int flags, std::unique_ptr<rocksdb::FSWritableFile>* out) {
    unsigned waited = 0;
    int fd = -1;
    while (true) {
      int why = 0;
      {
        const conf::DiskCall under_way("opening", name);
        fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0640);
        if (fd < 0) why = errno;
      }
      if (why == 0) break;
      if (why == EINTR) continue;
      if (why == EROFS || !DiskPatience::may_pass(why)) return status_of(name, why);
      patience_->wait(name, why, &waited);
    }
    if (waited > 0) patience_->moved_on();
    struct stat info {};
    if (::fstat(fd, &info) != 0) {
      const int why = errno;
      ::close(fd);
      return status_of(name, why);
    }
    *out = std::make_unique<PatientFile>(name, fd, static_cast<uint64_t>(info.st_size), patience_, marks_,
                                         buffers_);
    return IOStatus::OK();
  }

  const std::shared_ptr<DiskPatience> patience_;
  const std::shared_ptr<SyncMarks> marks_;
  const std::shared_ptr<Buffers> buffers_ = std::make_shared<Buffers>();
};

}  // namespace

std::unique_ptr<rocksdb::Env> make_patient_env(std::shared_ptr<DiskPatience> patience,
                                               std::shared_ptr<SyncMarks> marks) {
  return rocksdb::NewCompositeEnv(std::make_shared<PatientFileSystem>(std::move(patience), std::move(marks)));
}

}  // namespace relay::spool
