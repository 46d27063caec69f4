#include "bench/net/id_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace bench {

IdFile::~IdFile() {
  flush();
  if (fd_ >= 0) ::close(fd_);
}

conf::Status IdFile::open(const std::string& path, bool with_times) {
  with_times_ = with_times;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ >= 0) return conf::success();
  return conf::Error{conf::ErrorCode::kIo, path + ": " + std::strerror(errno)};
}

void IdFile::add(std::string_view id) {
  if (fd_ < 0) return;
  waiting_.append(id);
  if (with_times_) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    waiting_.append(" ").append(
        std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
  }
  waiting_.push_back('\n');
}

bool IdFile::flush() {
  if (fd_ < 0 || waiting_.empty()) return true;
  const ssize_t written = ::write(fd_, waiting_.data(), waiting_.size());
  const bool whole = written == static_cast<ssize_t>(waiting_.size());
  waiting_.clear();
  return whole;
}

}  // namespace bench
