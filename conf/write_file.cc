#include "conf/write_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace conf {

bool write_all(int file, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(file, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    octets.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace conf
