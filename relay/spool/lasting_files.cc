#include "relay/spool/lasting_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "conf/write_file.h"
#include "relay/spool/damaged_files.h"

namespace relay::spool {

namespace {

std::error_code last_error() { return {errno, std::generic_category()}; }

}  // namespace

std::error_code sync_to_disk(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return last_error();
  const std::error_code code = ::fsync(file) == 0 ? std::error_code() : last_error();
  ::close(file);
  return code;
}

std::error_code copy_to_disk(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code code;
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing, code);
  if (code == std::errc::io_error) {  // a block that cannot be read costs no more than itself
    const conf::Result<std::string> rest = read_damaged_file(from);
    if (rest.ok()) return write_to_disk(to, rest.value());
  }
  return code ? code : sync_to_disk(to);
}

std::error_code write_to_disk(const std::filesystem::path& to, std::string_view content) {
  const int file = ::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return last_error();
  const bool written = conf::write_all(file, content) && ::fsync(file) == 0;
  const std::error_code code = written ? std::error_code() : last_error();
  ::close(file);
  return code;
}

}  // namespace relay::spool
