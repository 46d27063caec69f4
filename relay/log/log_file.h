// The file under the delivery log: append whole lines, rotate by size, open again. One thread (the writer's).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "conf/config.h"
#include "conf/vocab/result.h"

namespace relay::log {

class LogFile {
 public:
  explicit LogFile(conf::LogSettings settings) : settings_(std::move(settings)) {}
  ~LogFile() { close(); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Opens for appending, makes the file (0640) when it is missing. A torn last line is ended first.
  conf::Status open();
  void close();

  // `lines` ends with a newline. Returns how many bytes are in the file for good: all of them, or fewer, up
  // to a line's end, when the system refuses; then `*why` says what happened. Rotates first when the file
  // would grow past rotate_bytes.
  size_t append(std::string_view lines, conf::Error* why);

  uint64_t rotations() const { return rotations_; }

 private:
  void rotate();
  conf::Error refused(int number);
  size_t undo_torn_line(std::string_view lines, size_t written);

  conf::LogSettings settings_;
  int fd_ = -1;
  bool regular_ = false;        // rotated and truncated only then; a pipe or a device is written as it is
  bool end_torn_line_ = false;  // the next write begins with a newline
  uint64_t size_ = 0;
  uint64_t rotate_at_ = 0;  // 0: never
  uint64_t rotations_ = 0;
};

}  // namespace relay::log
