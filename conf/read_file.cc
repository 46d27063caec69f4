#include "conf/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace conf {

Result<std::string> read_file(const std::string& path) {
  const auto failed = [](int why) {
    const ErrorCode code = why == ENOENT   ? ErrorCode::kNotFound
                           : why == EACCES ? ErrorCode::kRefused
                                           : ErrorCode::kIo;
    return Error{code, std::strerror(why)};
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed(errno);
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
    if (got < 0) return failed(why);
    return text;
  }
}

}  // namespace conf
