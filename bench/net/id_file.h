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
  conf::Status open(const std::string& path);
  void add(std::string_view id);
  // False when the kernel did not take all; errno says why.
  bool flush();

 private:
  int fd_ = -1;
  std::string waiting_;
};

}  // namespace bench
