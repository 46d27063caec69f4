#include "relay/cli/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

namespace relay::cli {

namespace {

namespace fs = std::filesystem;

struct DatedPart {
  LogPart part;
  timespec changed{};
  bool is_written = false;   // the log itself
  unsigned long number = 0;  // PATH.2 is older than PATH.1 when their times say nothing
  bool operator<(const DatedPart& other) const {
    return std::tie(changed.tv_sec, changed.tv_nsec, is_written, other.number, part.path) <
           std::tie(other.changed.tv_sec, other.changed.tv_nsec, other.is_written, number, other.part.path);
  }
};

std::string program_for(const std::string& path) {
  const std::pair<const char*, const char*> kPacked[] = {
      {".gz", "gzip"}, {".xz", "xz"}, {".zst", "zstd"}, {".bz2", "bzip2"}};
  for (const auto& [end, program] : kPacked)
    if (path.ends_with(end)) return program;
  return "";
}

fs::path folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

// -1: it is gone.
int open_part(const LogPart& part) {
  const auto opened = [&part](const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about {};
    if (file < 0 || (::fstat(file, &about) == 0 && about.st_ino == part.inode && about.st_dev == part.device))
      return file;
    ::close(file);
    errno = ENOENT;
    return -1;
  };
  const int file = opened(part.path);
  if (file >= 0 || errno != ENOENT) return file;
  std::error_code error;
  for (fs::directory_iterator each(folder_of(part.path), error), end; !error && each != end;
       each.increment(error)) {
    const std::string path = each->path().string();
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0 || about.st_ino != part.inode) continue;
    if (const int moved = opened(path); moved >= 0) return moved;
  }
  errno = ENOENT;
  return -1;
}

}  // namespace

conf::Result<std::vector<LogPart>> log_files(const std::string& path) {
  const fs::path folder = folder_of(path);
  const std::string name = fs::path(path).filename().string();
  std::vector<DatedPart> found;
  std::error_code error;
  for (fs::directory_iterator each(folder, error), end; !error && each != end; each.increment(error)) {
    const std::string other = each->path().filename().string();
    const bool rotated = other.size() > name.size() && other.starts_with(name) &&
                         (other[name.size()] == '.' || other[name.size()] == '-');
    // ".waiting" is the log's own mark of what it could not write.
    if (other != name && (!rotated || other == name + ".waiting")) continue;
    DatedPart one;
    one.part.path = each->path().string();
    struct stat about {};
    if (::stat(one.part.path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
    one.part.device = about.st_dev;
    one.part.inode = about.st_ino;
    one.changed = about.st_mtim;
    one.is_written = !rotated;
    if (rotated && other[name.size()] == '.')
      one.number = std::strtoul(other.c_str() + name.size() + 1, nullptr, 10);
    found.push_back(std::move(one));
  }
  if (error) return conf::Error{conf::ErrorCode::kIo, folder.string() + ": " + error.message()};
  if (found.empty()) return conf::Error{conf::ErrorCode::kNotFound, path + ": there is no such log file"};
  std::sort(found.begin(), found.end());
  std::vector<LogPart> parts;
  parts.reserve(found.size());
  for (DatedPart& each : found) parts.push_back(std::move(each.part));
  return parts;
}

conf::Status for_each_line(const LogPart& part, const std::function<void(const std::string&)>& use) {
  const int file = open_part(part);
  if (file < 0) {
    return conf::Error{errno == ENOENT ? conf::ErrorCode::kNotFound : conf::ErrorCode::kIo,
                       part.path + ": " + (errno == ENOENT ? "gone meanwhile" : std::strerror(errno))};
  }
  const std::string program = program_for(part.path);
  // The shell's child opens the same file, whatever its name is by now.
  const std::string open_here = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file);
  std::FILE* in =
      program.empty() ? ::fdopen(file, "r") : popen(("exec " + program + " -dc < " + open_here).c_str(), "r");
  if (in == nullptr) {
    const int why = errno;
    ::close(file);
    return conf::Error{conf::ErrorCode::kIo, part.path + ": " + std::strerror(why)};
  }
  char* line = nullptr;
  size_t room = 0;
  std::string text;
  for (ssize_t size = 0; (size = getline(&line, &room, in)) >= 0;) {
    text.assign(line, static_cast<size_t>(size));
    if (text.ends_with('\n')) text.pop_back();
    use(text);
  }
  std::free(line);
  const bool broken = std::ferror(in) != 0;
  const int ended = program.empty() ? std::fclose(in) : pclose(in);
  if (!program.empty()) ::close(file);
  if (!broken && ended == 0) return conf::success();
  return conf::Error{conf::ErrorCode::kIo, part.path + ": cannot be read to its end"};
}

}  // namespace relay::cli
