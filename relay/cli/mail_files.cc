#include "relay/cli/mail_files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

namespace relay::cli {
namespace {

namespace fs = std::filesystem;
using conf::Error;
using conf::ErrorCode;

constexpr size_t kMostOctets = size_t{1} << 30;

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// RFC 4155: "From address date", after an empty line, and a header after it.
bool is_separator(std::string_view content, size_t at) {
  if (!content.substr(at).starts_with("From ")) return false;
  const size_t end = content.find('\n', at);
  if (end == std::string_view::npos) return false;
  const std::string_view line = content.substr(at, end - at);
  const size_t clock = line.find(':');
  if (clock == std::string_view::npos || line.size() < 20) return false;
  const std::string_view next = content.substr(end + 1, 128);
  const size_t name = next.find_first_of(": \t\r\n");
  return name != std::string_view::npos && name > 0 && next[name] == ':';
}

conf::Status add_folder(const fs::path& folder, std::vector<std::string>* out) {
  std::vector<std::string> found;
  std::vector<fs::path> places;
  for (const char* part : {"new", "cur"}) {
    if (is_folder(folder / part)) places.push_back(folder / part);
  }
  if (places.empty()) places.push_back(folder);
  for (const fs::path& place : places) {
    std::error_code error;
    fs::recursive_directory_iterator each(place, error);
    for (; !error && each != fs::recursive_directory_iterator(); each.increment(error)) {
      std::error_code ignored;
      if (each->is_regular_file(ignored)) found.push_back(each->path().string());
    }
    if (error) return Error{ErrorCode::kIo, place.string() + ": " + error.message()};
  }
  std::sort(found.begin(), found.end());
  out->insert(out->end(), found.begin(), found.end());
  return conf::success();
}

}  // namespace

conf::Result<std::vector<std::string>> mail_files(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    if (path == "-" || !is_folder(path)) {
      out.push_back(path);
      continue;
    }
    conf::Status added = add_folder(path, &out);
    if (!added.ok()) return added.error();
  }
  return out;
}

conf::Result<std::string> read_mail_file(const std::string& path) {
  const bool standard = path == "-";
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };
  const std::unique_ptr<std::FILE, Close> file(standard ? stdin : std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return Error{ErrorCode::kIo, path + ": " + std::strerror(errno)};
  std::string out;
  char buffer[16384];
  size_t got = 0;
  while ((got = std::fread(buffer, 1, sizeof buffer, file.get())) > 0) {
    if (out.size() + got > kMostOctets)
      return Error{ErrorCode::kLimit, path + ": larger than 1 GB; split it"};
    out.append(buffer, got);
  }
  if (std::ferror(file.get()) != 0) return Error{ErrorCode::kIo, path + ": " + std::strerror(errno)};
  return out;
}

std::vector<std::string_view> mails_in(std::string_view content, std::string_view path, bool is_mbox) {
  if (!is_mbox && (path.ends_with(".eml") || !content.starts_with("From "))) return {content};
  std::vector<std::string_view> out;
  size_t begin = 0;
  for (size_t at = 0; (at = content.find("\nFrom ", at)) != std::string_view::npos; ++at) {
    const bool after_empty =
        at == 0 || content[at - 1] == '\n' || (content[at - 1] == '\r' && at > 1 && content[at - 2] == '\n');
    if (!after_empty || !is_separator(content, at + 1)) continue;
    out.push_back(content.substr(begin, at + 1 - begin));
    begin = at + 1;
  }
  out.push_back(content.substr(begin));
  return out;
}

}  // namespace relay::cli
