#include "conf/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace conf {

namespace {

Error failed(int why) {
  const ErrorCode code = why == ENOENT   ? ErrorCode::kNotFound
                         : why == EACCES ? ErrorCode::kRefused
                                         : ErrorCode::kIo;
  return Error{code, reason_text(why)};
}

Result<std::string> read_to_end(int file) {
  std::string text;
  std::array<char, 1 << 16> piece;
  while (true) {
    const ssize_t got = ::read(file, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    const int why = errno;
    if (got > 0) {
      text.append(piece.data(), static_cast<size_t>(got));
      continue;
    }
    ::close(file);
    explicit_bzero(piece.data(), std::min(piece.size(), text.size()));  // it may have been a key
    if (got < 0) return failed(why);
    return text;
  }
}

}  // namespace

std::string reason_text(int system_error) {
  const std::string words = std::strerror(system_error);
  if (system_error == EMFILE)
    return words + "; the process may have no more: raise LimitNOFILE of the unit, or ulimit -n";
  if (system_error == ENFILE) return words + "; raise fs.file-max (sysctl)";
  return words;
}

Result<std::string> read_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  return file < 0 ? Result<std::string>(failed(errno)) : read_to_end(file);
}

Result<std::string> read_regular_file(const std::string& path) {
  // A pipe would wait for its writer.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return failed(errno);
  struct stat about {};
  if (::fstat(file, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) {
    ::close(file);
    return Error{ErrorCode::kIo, "it is no regular file"};
  }
  return read_to_end(file);
}

}  // namespace conf
