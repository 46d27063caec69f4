#include "relay/cli/qualify_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "relay/cli/reply_rules_file.h"

namespace relay::cli {

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (file) return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::fprintf(stderr, "penstock: cannot read %s: %s\n", path.c_str(), std::strerror(errno));
  return std::nullopt;
}

bool write_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  size_t written = 0;
  while (file >= 0 && written < text.size()) {
    const ssize_t some = ::write(file, text.data() + written, text.size() - written);
    if (some < 0 && errno == EINTR) continue;
    if (some <= 0) break;
    written += static_cast<size_t>(some);
  }
  const bool synced = file >= 0 && written == text.size() && ::fsync(file) == 0;
  const int why = errno;
  if (file >= 0) ::close(file);
  if (synced && std::rename(fresh.c_str(), path.c_str()) == 0) return true;
  std::fprintf(stderr, "penstock: cannot write %s: %s\n", path.c_str(), std::strerror(synced ? errno : why));
  ::unlink(fresh.c_str());
  return false;
}

std::shared_ptr<const bounce::Qualifier> QualifyFiles::qualifier() const { return qualifier_of(files); }

bool QualifyFiles::save() const { return write_file(files.table, table.write()); }

std::optional<QualifyFiles> open_files(const QualifyOptions& options, bool needs_table) {
  QualifyFiles out;
  out.files = {options.rules, options.shipped, options.table};
  if (options.table.empty()) {
    if (!needs_table) return out;
    std::fprintf(stderr, "penstock: say which table: --table FILE\n");
    return std::nullopt;
  }
  if (::access(options.table.c_str(), F_OK) != 0) return out;
  const std::optional<std::string> text = read_file(options.table);
  if (!text) return std::nullopt;
  const std::optional<std::string> problem = out.table.read(*text);
  if (!problem) return out;
  std::fprintf(stderr, "penstock: %s: %s\n", options.table.c_str(), problem->c_str());
  return std::nullopt;
}

}  // namespace relay::cli
