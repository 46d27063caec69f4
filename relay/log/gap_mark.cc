#include "relay/log/gap_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

namespace relay::log {

namespace {

constexpr size_t kSize = 21;  // the digits of the largest number, and a newline

}  // namespace

GapMark::GapMark(const std::string& log) {
  if (std::string_view(log).starts_with("/dev/")) return;
  fd_ = ::open((log + ".waiting").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd_ < 0) return;
  std::array<char, kSize> text{};
  const ssize_t got = ::pread(fd_, text.data(), text.size(), 0);
  if (got == static_cast<ssize_t>(kSize)) std::from_chars(text.data(), text.data() + kSize - 1, left_);
  there_ = left_ + 1;  // so that the room is taken now, not on a full disk
  put(left_);
}

GapMark::~GapMark() {
  if (fd_ >= 0) ::close(fd_);
}

void GapMark::put(uint64_t waiting) {
  if (fd_ < 0 || waiting == there_) return;
  std::string text = std::to_string(waiting);
  text.resize(kSize - 1, ' ');
  text += '\n';
  if (::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(kSize)) there_ = waiting;
}

}  // namespace relay::log
