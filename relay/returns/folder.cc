#include "relay/returns/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "conf/write_file.h"

namespace relay::returns {

conf::Error io_error(const std::string& what, int error) {
  return {conf::ErrorCode::kIo, what + ": " + std::strerror(error)};
}

conf::Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return conf::success();
  return io_error(path, errno);
}

conf::Status sync_folder(const std::string& path) {
  if (!conf::sync_folder(path)) return io_error(path, errno);
  return conf::success();
}

conf::Status sync_file_system(const std::string& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.ok() || ::syncfs(opened.number()) != 0) return io_error(folder, errno);
  return conf::success();
}

conf::Result<std::vector<std::string>> names_in(const std::string& path) {
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return io_error(path, errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(folder);
  std::ranges::sort(names);
  return names;
}

}  // namespace relay::returns
