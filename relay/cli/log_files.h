// The delivery log and its older files, as they were rotated: by the relay (PATH.1, PATH.2) or by logrotate
// (PATH-20261126, PATH.2.gz).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conf/vocab/result.h"

namespace relay::cli {

// Of the log at `path` all files that are there, the oldest first. kNotFound, kIo.
conf::Result<std::vector<std::string>> log_files(const std::string& path);
// Every line of one, without its end. Files that end in ".gz" are read through gzip(1).
conf::Status for_each_line(const std::string& file, const std::function<void(const std::string&)>& use);

}  // namespace relay::cli
