#include "relay/log/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "conf/disk_call.h"
#include "conf/standard_error.h"

namespace relay::log {
namespace {

conf::Error system_error(const std::string& doing, int number) {
  conf::ErrorCode code = conf::ErrorCode::kIo;
  if (number == ENOSPC || number == EDQUOT) code = conf::ErrorCode::kNoSpace;
  if (number == EROFS) code = conf::ErrorCode::kReadOnly;
  return {code, doing + ": " + std::strerror(number)};
}

// False also when the file cannot be read: then nothing is known to be torn.
bool last_line_is_torn(const std::string& path, off_t size) {
  if (size <= 0) return false;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char last = '\n';
  const bool read = ::pread(fd, &last, 1, size - 1) == 1;
  ::close(fd);
  return read && last != '\n';
}

}  // namespace

conf::Status LogFile::open() {
  close();
  const std::string& path = settings_.path;
  // A named pipe would wait for its reader, and the start with it.
  fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd_ < 0 && errno == ENOENT) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd_ >= 0) ::fchmod(fd_, 0640);  // the group reads the log, whatever the umask
  }
  if (fd_ < 0) {
    const int number = errno;
    conf::Error error = system_error("cannot open the delivery log " + path, number);
    if (number == ENOENT) error.detail += "; make the folder, or set [log] path";
    if (number == EACCES) error.detail += "; the user that runs penstock must be able to write there";
    if (number == ENXIO)
      error.detail +=
          "; it is a named pipe that nobody reads, or a socket: name a file in [log] path, or start the "
          "reader first";
    return error;
  }
  struct stat status {};
  if (::fstat(fd_, &status) != 0) {
    const conf::Error error = system_error("cannot look at the delivery log " + path, errno);
    close();
    return error;
  }
  if (const int flags = ::fcntl(fd_, F_GETFL); flags >= 0) ::fcntl(fd_, F_SETFL, flags & ~O_NONBLOCK);
  regular_ = S_ISREG(status.st_mode);
  size_ = regular_ ? static_cast<uint64_t>(status.st_size) : 0;
  rotate_at_ = regular_ ? settings_.rotate_bytes : 0;
  end_torn_line_ = regular_ && last_line_is_torn(path, status.st_size);
  return conf::success();
}

void LogFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

size_t LogFile::append(std::string_view lines, conf::Error* why) {
  const conf::DiskCall under_way("writing", settings_.path);
  if (fd_ >= 0 && rotate_at_ != 0 && size_ != 0 && size_ + lines.size() > rotate_at_) rotate();
  if (fd_ < 0) {
    if (const conf::Status opened = open(); !opened.ok()) {
      *why = opened.error();
      return 0;
    }
  }
  if (end_torn_line_) {
    if (::write(fd_, "\n", 1) != 1) {
      *why = refused(errno);
      return 0;
    }
    end_torn_line_ = false;
    ++size_;
  }
  size_t written = 0;
  while (written < lines.size()) {
    const ssize_t count = ::write(fd_, lines.data() + written, lines.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const int number = count < 0 ? errno : EIO;
      const size_t whole = undo_torn_line(lines, written);
      *why = refused(number);
      return whole;
    }
    written += static_cast<size_t>(count);
    size_ += static_cast<uint64_t>(count);
  }
  return written;
}

// Room mends a full disk. Whatever else it is, the path may lead to something better by now: it is opened
// again for the next try.
conf::Error LogFile::refused(int number) {
  if (number != ENOSPC && number != EDQUOT) close();
  return system_error("cannot write the delivery log " + settings_.path, number);
}

// A full disk may take half a line. It is cut off again, so that a reader never sees a torn one.
size_t LogFile::undo_torn_line(std::string_view lines, size_t written) {
  const size_t newline = lines.substr(0, written).rfind('\n');
  const size_t whole = newline == std::string_view::npos ? 0 : newline + 1;
  if (whole == written) return whole;
  // By the file, not by what was counted: somebody may have cut it meanwhile (copytruncate of logrotate).
  const off_t end = regular_ ? ::lseek(fd_, 0, SEEK_END) : -1;
  const uint64_t torn = written - whole;
  const uint64_t keep = end < 0 ? 0 : static_cast<uint64_t>(end) - std::min(static_cast<uint64_t>(end), torn);
  if (end >= 0 && ::ftruncate(fd_, static_cast<off_t>(keep)) == 0) {
    size_ = keep;
  } else {
    end_torn_line_ = true;
  }
  return whole;
}

// path.(keep-1) becomes path.keep, ..., path becomes path.1. With keep = 0 the full file is removed.
void LogFile::rotate() {
  const std::string& path = settings_.path;
  int trouble = 0;
  const auto move = [&](const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) trouble = errno;
  };
  // Where one cannot move on, those behind it stay too: it would be written over.
  for (uint32_t i = settings_.keep; i > 1 && trouble == 0; --i) {
    move(path + "." + std::to_string(i - 1), path + "." + std::to_string(i));
  }
  if (trouble == 0 && settings_.keep != 0) move(path, path + ".1");
  if (settings_.keep == 0 && ::unlink(path.c_str()) != 0 && errno != ENOENT) trouble = errno;
  if (trouble != 0) {
    conf::say("cannot rotate the delivery log " + std::string(path) + ": " + std::strerror(trouble) +
              "; it grows on");
    rotate_at_ = size_ + settings_.rotate_bytes;  // not again with every line
    return;
  }
  ++rotations_;
  close();
}

}  // namespace relay::log
