#include "relay/host/written_places.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "bounce/ledger/ledger.h"
#include "conf/vocab/check.h"

namespace relay {

namespace {

namespace fs = std::filesystem;

enum class Wanted : uint8_t { kFolder, kLog, kFile, kSocket };

// While it lives root has the rights of the user that the relay is going to be, and no others.
class AsUser {
 public:
  explicit AsUser(const std::string& name) {
    const passwd* user = name.empty() || ::geteuid() != 0 ? nullptr : ::getpwnam(name.c_str());
    if (user == nullptr || user->pw_uid == 0) return;
    groups_.resize(static_cast<size_t>(std::max(::getgroups(0, nullptr), 0)));
    if (::getgroups(static_cast<int>(groups_.size()), groups_.data()) < 0) return;
    group_ = ::getegid();
    if (::initgroups(name.c_str(), user->pw_gid) != 0) return;  // this root may not: it stays what it is
    is_other_ = ::setegid(user->pw_gid) == 0 && ::seteuid(user->pw_uid) == 0;
    if (!is_other_) go_back();
  }
  ~AsUser() {
    if (is_other_) go_back();
  }
  AsUser(const AsUser&) = delete;
  AsUser& operator=(const AsUser&) = delete;
  bool is_other() const { return is_other_; }

 private:
  void go_back() const {
    CHECK(::seteuid(0) == 0 && ::setegid(group_) == 0 && ::setgroups(groups_.size(), groups_.data()) == 0);
  }
  std::vector<gid_t> groups_;
  gid_t group_ = 0;
  bool is_other_ = false;
};

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISREG(mode)) return "a file";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

// It leads to what the process has open that asks.
bool is_of_the_asker(const std::string& path) {
  return path == "/dev/stdout" || path == "/dev/stderr" || path.starts_with("/dev/fd/") ||
         path.starts_with("/proc/self/fd/");
}

class Look {
 public:
  explicit Look(const conf::Config& config) : user_(config.run_as), run_as_(config.run_as) {
    // Of another user than the one who asks nothing is known, unless it is root who asks.
    const passwd* user = run_as_.empty() ? nullptr : ::getpwnam(run_as_.c_str());
    knows_user_ = run_as_.empty() || user_.is_other() || (user != nullptr && user->pw_uid == ::geteuid());
  }

  void at(const char* table, const char* key, const std::string& path, Wanted wanted) {
    table_ = table;
    key_ = key;
    if (path.empty()) return;           // the parser says so, or there is none
    if (is_of_the_asker(path)) return;  // the start has others
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0) {
      there(path, wanted, found.st_mode);
    } else if (errno == ENOENT || errno == ENOTDIR) {
      missing(path, wanted);
    } else {
      note(path + ": " + std::strerror(errno), errno == EACCES && !user_.is_other());
    }
  }

  std::vector<WrongPlace> wrong;

 private:
  void note(std::string what, bool warning) { wrong.push_back({table_, key_, std::move(what), warning}); }

  void there(const std::string& path, Wanted wanted, mode_t mode) {
    const std::string is = path + " is " + kind_of(mode);
    if (wanted == Wanted::kFolder) {
      if (!S_ISDIR(mode)) return note(is + "; a folder is wanted there", false);
      return must_write(path, W_OK | X_OK);
    }
    if (wanted == Wanted::kSocket) {
      if (!S_ISSOCK(mode)) return note(is + "; the relay makes a socket there: move it away", false);
      return must_write(folder_of(path), W_OK | X_OK);
    }
    const bool device = wanted == Wanted::kLog && (S_ISCHR(mode) || S_ISFIFO(mode));
    if (!S_ISREG(mode) && !device) return note(is + "; a file is wanted there", false);
    if (S_ISFIFO(mode)) note(is + ": a start is refused while nobody reads it", true);
    must_write(path, W_OK);
  }

  // The folders above are made at the start, by root when it begins as root.
  void missing(const std::string& path, Wanted wanted) {
    std::string above = folder_of(path);
    const bool direct = fs::exists(above, ignored_);
    while (above != "/" && above != "." && ::access(above.c_str(), F_OK) != 0) above = folder_of(above);
    if (!fs::is_directory(above, ignored_)) {
      if (fs::exists(above, ignored_)) note(above + " is no folder, so " + path + " cannot be made", false);
    } else if (direct && wanted != Wanted::kFolder) {
      must_write(above, W_OK | X_OK);
    }
  }

  static std::string folder_of(const std::string& path) {
    const std::string folder = fs::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
  }

  void must_write(const std::string& path, int how) {
    if (::faccessat(AT_FDCWD, path.c_str(), how, AT_EACCESS) == 0) return;
    const int why = errno;
    if (why != EROFS && !knows_user_) return;
    note(path + " cannot be written by " + (run_as_.empty() ? "who asks here" : run_as_) + ": " +
             std::strerror(why),
         why != EROFS && !user_.is_other());
  }

  const AsUser user_;
  const std::string run_as_;
  bool knows_user_ = false;
  std::string table_, key_;
  std::error_code ignored_;
};

}  // namespace

std::vector<WrongPlace> wrong_places(const conf::Config& config) {
  Look look(config);
  look.at("[log]", "path", config.log.path, Wanted::kLog);
  look.at("[spool]", "path", config.spool.path, Wanted::kFolder);
  look.at("[admin]", "socket", config.admin.socket, Wanted::kSocket);
  if (config.quarantine.enabled)
    look.at("[quarantine]", "path", bounce::ledger_path(config.quarantine, config.spool.path), Wanted::kFile);
  if (config.returns.wanted()) {
    look.at("[returns]", "path", config.returns.path, Wanted::kFolder);
    for (const std::string& folder : config.returns.watch)
      look.at("[returns]", "watch", folder, Wanted::kFolder);
    if (!config.returns.unmatched.empty())
      look.at("[returns]", "unmatched", config.returns.unmatched, Wanted::kFolder);
  }
  return std::move(look.wrong);
}

}  // namespace relay
