#include "relay/spool/rocks_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <utility>

namespace relay::spool {

namespace {

constexpr off_t kMostBytes = 4 << 20;

class RocksLog final : public rocksdb::Logger {
 public:
  explicit RocksLog(std::string path) : Logger(rocksdb::InfoLogLevel::WARN_LEVEL), path_(std::move(path)) {
    reopen();
  }
  ~RocksLog() override {
    if (fd_ >= 0) ::close(fd_);
  }

  using Logger::Logv;
  void Logv(const char* format, va_list args) override {
    char line[4096];
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    const size_t stamp = std::strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &parts);
    const int said = std::vsnprintf(line + stamp, sizeof line - stamp - 1, format, args);
    if (said < 0) return;
    size_t size = std::min(stamp + static_cast<size_t>(said), sizeof line - 2);
    line[size++] = '\n';
    const std::lock_guard lock(mutex_);
    struct stat info {};
    if (fd_ >= 0 && ::fstat(fd_, &info) == 0 && info.st_size > kMostBytes) reopen();
    if (fd_ >= 0) (void)!::write(fd_, line, size);
  }

 private:
  void reopen() {
    struct stat info {};
    if (::stat(path_.c_str(), &info) == 0 && info.st_size > kMostBytes)
      (void)std::rename(path_.c_str(), (path_ + ".old").c_str());
    const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) return;
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

  const std::string path_;
  std::mutex mutex_;
  int fd_ = -1;
};

}  // namespace

std::shared_ptr<rocksdb::Logger> make_rocks_log(const std::string& folder) {
  return std::make_shared<RocksLog>(folder + "/LOG");
}

}  // namespace relay::spool
