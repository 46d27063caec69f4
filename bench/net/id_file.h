// The list of X-Load-Id values that a load tool has seen, one a line. Lines are gathered and handed to the
// kernel whole with one write(), so a reader never sees half an id, and a kill of the tool loses only what
// was not flushed.
#pragma once

#include <string>
#include <string_view>

#include "conf/vocab/result.h"

namespace bench {

class IdFile {
 public:
  IdFile() = default;
  ~IdFile();
  IdFile(const IdFile&) = delete;
  IdFile& operator=(const IdFile&) = delete;

  // Appends to `path`; it is made when missing. Without a call of open() add() and flush() do nothing.
  // `with_times`: behind each id a space and when it was added, in microseconds since 1970, so that the files
  // of two tools on one machine tell how long a message took.
  conf::Status open(const std::string& path, bool with_times = false);
  void add(std::string_view id);
  // False when the kernel did not take all; errno says why.
  bool flush();

 private:
  int fd_ = -1;
  bool with_times_ = false;
  std::string waiting_;
};

}  // namespace bench
