// The delivery log and its older files, as they were rotated: by the relay (PATH.1, PATH.2) or by logrotate
// (PATH-20261126, PATH.2.gz).
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "conf/vocab/result.h"

namespace relay::cli {

struct LogPart {
  std::string path;  // when it was found: a rotation gives it another one
  dev_t device = 0;
  ino_t inode = 0;
};

// Of the log at `path` all files that are there, the oldest first. kNotFound, kIo.
conf::Result<std::vector<LogPart>> log_files(const std::string& path);
// Every line of one, without its end, also when it was rotated meanwhile. What is packed (.gz, .xz, .zst,
// .bz2) is read through the program that unpacks it. kNotFound: it was removed, or packed, meanwhile.
conf::Status for_each_line(const LogPart& part, const std::function<void(const std::string&)>& use);

}  // namespace relay::cli
