#include "relay/host/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "bounce/ledger/ledger.h"
#include "conf/standard_error.h"

namespace relay {

namespace {

conf::Error failure(const std::string& what) {
  return {conf::ErrorCode::kIo, what + ": " + std::strerror(errno)};
}

conf::Error no_such_user(const std::string& user) {
  return {conf::ErrorCode::kInvalid, "run_as = \"" + user +
                                         "\": there is no such user; make one with `useradd --system " +
                                         user + "` or leave run_as out"};
}

}  // namespace

conf::Status prepare_directories(const conf::Config& config) {
  const passwd* user = config.run_as.empty() ? nullptr : getpwnam(config.run_as.c_str());
  if (!config.run_as.empty() && user == nullptr) return no_such_user(config.run_as);
  const std::filesystem::path log(config.log.path);
  const std::filesystem::path socket(config.admin.socket);
  std::vector<std::filesystem::path> needed = {config.spool.path, log.parent_path(), socket.parent_path()};
  if (config.returns.wanted()) needed.emplace_back(config.returns.path);
  if (config.returns.wanted() && !config.returns.unmatched.empty())
    needed.emplace_back(config.returns.unmatched);
  if (config.quarantine.enabled) {
    const std::filesystem::path ledger(bounce::ledger_path(config.quarantine, config.spool.path));
    needed.push_back(ledger.parent_path());
  }
  for (const std::filesystem::path& path : needed) {
    std::error_code code;
    if (path.empty() || !std::filesystem::create_directories(path, code)) {
      if (code)
        return conf::Error{conf::ErrorCode::kIo,
                           "cannot make the directory " + path.string() + ": " + code.message()};
      continue;
    }
    std::filesystem::permissions(path, std::filesystem::perms(0750), code);
    if (user != nullptr && geteuid() == 0 && chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
      return failure("cannot give the directory " + path.string() + " to " + config.run_as);
    }
  }
  return conf::success();
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void warn_of_few_descriptors(size_t wanted, size_t possible) {
  if (wanted <= possible) return;
  conf::say("warning: only " + std::to_string(possible) + " connections to receivers at once and not " +
            std::to_string(wanted) +
            " (max_outbound_connections): half of the limit of open files (LimitNOFILE) is kept for clients "
            "and disk");
}

void forbid_dumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

conf::Status drop_privileges(const std::string& name) {
  if (name.empty()) {
    if (geteuid() == 0) conf::say("warning: running as root; set run_as to an unprivileged user");
    return conf::success();
  }
  const passwd* user = getpwnam(name.c_str());
  if (user == nullptr) return no_such_user(name);
  if (geteuid() == user->pw_uid) return conf::success();
  if (geteuid() != 0) {
    return conf::Error{conf::ErrorCode::kIo,
                       "run_as = \"" + name + "\" needs a start as root, or as that user"};
  }
  if (initgroups(name.c_str(), user->pw_gid) != 0) return failure("cannot set the groups of " + name);
  if (setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0)
    return failure("cannot become the group of " + name);
  if (setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0) return failure("cannot become " + name);
  if (user->pw_uid != 0 && setuid(0) == 0)
    return conf::Error{conf::ErrorCode::kIo, "root could be taken back after run_as"};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failure("cannot give up new privileges");
  return conf::success();
}

}  // namespace relay
