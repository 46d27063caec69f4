#include "relay/cli/log_files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace relay::cli {

namespace {

namespace fs = std::filesystem;

// For sh(1): nothing in it is special.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

conf::Result<std::vector<std::string>> log_files(const std::string& path) {
  const fs::path log(path);
  const std::string name = log.filename().string();
  const fs::path folder = log.has_parent_path() ? log.parent_path() : fs::path(".");
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  std::error_code error;
  for (fs::directory_iterator each(folder, error), end; !error && each != end; each.increment(error)) {
    const std::string other = each->path().filename().string();
    const bool rotated = other.size() > name.size() && other.starts_with(name) &&
                         (other[name.size()] == '.' || other[name.size()] == '-');
    // ".waiting" is the log's own mark of what it could not write.
    if (other != name && (!rotated || other == name + ".waiting")) continue;
    std::error_code ignored;
    found.emplace_back(each->last_write_time(ignored), each->path().string());
  }
  if (error) return conf::Error{conf::ErrorCode::kIo, folder.string() + ": " + error.message()};
  if (found.empty()) return conf::Error{conf::ErrorCode::kNotFound, path + ": there is no such log"};
  std::sort(found.begin(), found.end());
  std::vector<std::string> files;
  files.reserve(found.size());
  for (auto& [time, file] : found) files.push_back(std::move(file));
  return files;
}

conf::Status for_each_line(const std::string& file, const std::function<void(const std::string&)>& use) {
  const bool packed = file.ends_with(".gz");
  std::FILE* in =
      packed ? popen(("exec gzip -dc -- " + quoted(file)).c_str(), "r") : std::fopen(file.c_str(), "r");
  if (in == nullptr) return conf::Error{conf::ErrorCode::kIo, file + ": " + std::strerror(errno)};
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
  const int ended = packed ? pclose(in) : std::fclose(in);
  if (!broken && ended == 0) return conf::success();
  return conf::Error{conf::ErrorCode::kIo, file + ": cannot be read to its end"};
}

}  // namespace relay::cli
