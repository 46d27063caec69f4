#include "relay/host/text_table_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "conf/read_file.h"
#include "conf/write_file.h"

namespace relay {

namespace {

std::string folder_of(const std::string& file) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  return folder.empty() ? "." : folder;
}

conf::Error failed(const char* what, const std::string& path) {
  return {conf::ErrorCode::kIo, std::string("cannot ") + what + ' ' + path + ": " + std::strerror(errno)};
}

// Whoever ran the command: the relay must be able to read it.
void keep_owner(const std::string& path, int fresh) {
  struct stat like {};
  if (::stat(path.c_str(), &like) != 0 && ::stat(folder_of(path).c_str(), &like) != 0) return;
  if (::fchown(fresh, like.st_uid, like.st_gid) != 0) errno = 0;  // not root: it is its owner's already
}

}  // namespace

std::string text_table_path(const conf::Config& config) {
  const std::string& path = config.replies.table;
  if (path == conf::RepliesSettings::kNoTable) return {};
  if (!path.empty()) return (std::filesystem::path(config.file).parent_path() / path).string();
  return (std::filesystem::path(config.spool.path + "/").parent_path().parent_path() / "replies.tsv")
      .string();
}

FolderLock::FolderLock(const std::string& file)
    : folder_(::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  while (folder_ >= 0 && ::flock(folder_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

FolderLock::~FolderLock() {
  if (folder_ >= 0) ::close(folder_);
}

conf::Status read_text_table(const std::string& path, bounce::QualificationTable* out) {
  const conf::Result<std::string> text = conf::read_regular_file(path);
  if (!text.ok() && text.error().code == conf::ErrorCode::kNotFound) return conf::success();
  if (!text.ok()) return conf::Error{text.error().code, "cannot read " + path + ": " + text.error().detail};
  if (const std::optional<std::string> problem = out->read(text.value()))
    return conf::Error{conf::ErrorCode::kCorrupt, path + ": " + *problem};
  return conf::success();
}

conf::Status replace_file(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return failed("write", fresh);
  keep_owner(path, file);
  const bool written = conf::write_all(file, text) && ::fsync(file) == 0;
  const int why = errno;
  ::close(file);
  if (written && std::rename(fresh.c_str(), path.c_str()) == 0) {
    if (conf::sync_folder(folder_of(path))) return conf::success();
    return failed("write", path);
  }
  if (!written) errno = why;
  const conf::Error error = failed("write", path);
  ::unlink(fresh.c_str());
  return error;
}

conf::Status write_text_table(const std::string& path, const bounce::QualificationTable& table) {
  return replace_file(path, table.write());
}

conf::Status change_text_table(const std::string& path,
                               const std::function<void(bounce::QualificationTable*)>& change) {
  const FolderLock lock(path);
  bounce::QualificationTable table;
  const conf::Status read = read_text_table(path, &table);
  if (!read.ok()) return read;
  change(&table);
  return write_text_table(path, table);
}

}  // namespace relay
