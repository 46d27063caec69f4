#include "relay/spool/damaged_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

namespace relay::spool {

namespace {

constexpr size_t kChunk = size_t{1} << 20;
constexpr size_t kBlock = 4096;  // what a disk reads at least

}  // namespace

uint64_t number_in(std::string_view name, std::string_view before, std::string_view behind) {
  if (name.size() <= before.size() + behind.size() || !name.starts_with(before) || !name.ends_with(behind))
    return 0;
  name = name.substr(before.size(), name.size() - before.size() - behind.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() ? number : 0;
}

std::map<uint64_t, std::filesystem::path> numbered_files(const std::filesystem::path& folder,
                                                         std::string_view before, std::string_view behind) {
  std::map<uint64_t, std::filesystem::path> files;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
    const uint64_t number = number_in(entry.path().filename().string(), before, behind);
    if (number != 0) files[number] = entry.path();
  }
  return files;
}

std::string read_around_damage(const ReadAt& read, size_t size) {
  std::string content(size, '\0');
  bool block_by_block = false;  // within a chunk that cannot be read whole
  for (size_t at = 0; at < content.size();) {
    const size_t wanted = block_by_block ? kBlock - at % kBlock : kChunk;
    const size_t octets = std::min(wanted, content.size() - at);
    const ssize_t got = read(content.data() + at, octets, static_cast<off_t>(at));
    if (got > 0) {
      at += static_cast<size_t>(got);
      block_by_block = block_by_block && at % kChunk != 0;
    } else if (got == 0) {
      content.resize(at);
    } else if (errno != EINTR && !block_by_block) {
      block_by_block = true;
    } else if (errno != EINTR) {
      std::fill_n(content.begin() + static_cast<ssize_t>(at), octets, '\0');
      at += octets;
    }
  }
  return content;
}

conf::Result<std::string> read_damaged_file(const std::filesystem::path& file) {
  const int opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about {};
  if (opened < 0 || ::fstat(opened, &about) != 0) {
    const std::error_code code(errno, std::generic_category());
    if (opened >= 0) ::close(opened);
    return conf::Error{conf::ErrorCode::kIo, "cannot read " + file.string() + ": " + code.message()};
  }
  std::string content = read_around_damage(
      [opened](char* to, size_t octets, off_t at) { return ::pread(opened, to, octets, at); },
      static_cast<size_t>(about.st_size));
  ::close(opened);
  return content;
}

}  // namespace relay::spool
