#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/ledger_file.h"
#include "relay/host/privileges.h"
#include "relay/spool/examination.h"

namespace relay::cli {
namespace {

struct SpoolOptions {
  std::string path;
  std::string scratch;
};

// As root the spool would get files that the relay's user cannot write.
conf::Status become_owner_of(const std::string& path) {
  struct stat owner {};
  if (::stat(path.c_str(), &owner) != 0)
    return conf::Error{conf::ErrorCode::kNotFound, "cannot read " + path + ": " + std::strerror(errno)};
  if (geteuid() != 0 || owner.st_uid == 0) return conf::success();
  const passwd* user = getpwuid(owner.st_uid);
  if (user != nullptr) return drop_privileges(user->pw_name);
  return conf::Error{conf::ErrorCode::kInvalid,
                     "the owner of " + path + " is no user of this machine; run this as that owner"};
}

void print(const std::string& path, const spool::Examination& found) {
  for (const auto& [where, what] : found.damage) std::printf("%s: %s\n", where.c_str(), what.c_str());
  std::printf("%s: %llu messages with %llu recipients to go, %llu octets; %s\n", path.c_str(),
              static_cast<unsigned long long>(found.messages),
              static_cast<unsigned long long>(found.recipients),
              static_cast<unsigned long long>(found.octets), found.good() ? "good" : "damaged");
}

int check(const conf::SpoolSettings& settings, const SpoolOptions& options) {
  std::error_code code;
  const std::string scratch =
      options.scratch.empty() ? std::filesystem::temp_directory_path(code).string() : options.scratch;
  const conf::Result<spool::Examination> found = spool::check_spool(settings.path, scratch);
  if (!found.ok()) return failed(found.error());
  print(settings.path, found.value());
  if (found.value().good()) return kDone;
  std::puts("Nothing was changed. `penstock spool repair` does what is said here, and so does a start.");
  return kFailed;
}

int repair(const conf::SpoolSettings& settings) {
  if (const conf::Status owner = become_owner_of(settings.path); !owner.ok()) return failed(owner.error());
  const conf::Result<spool::Examination> found = spool::repair_spool(settings);
  if (!found.ok()) return failed(found.error());
  print(settings.path, found.value());
  if (!found.value().good())
    std::printf("All of this was set right or set aside; what was there before is in %s/set-aside.\n",
                settings.path.c_str());
  return kDone;
}

int with_settings(const Invocation& invocation, const SpoolOptions& options,
                  const std::function<int(const conf::SpoolSettings&)>& work) {
  conf::SpoolSettings settings;
  if (options.path.empty()) {
    const conf::ConfigPtr config = read_config(invocation.config_path);
    if (config == nullptr) return kUsage;
    settings = config->spool;
  } else {
    settings.path = options.path;
  }
  return work(settings);
}

}  // namespace

void add_spool_command(CLI::App* parser, Invocation* invocation) {
  auto options = std::make_shared<SpoolOptions>();
  CLI::App* command =
      parser->add_subcommand("spool", "look through the spool while the relay is stopped, and repair it");
  command->require_subcommand(1);
  command->fallthrough();
  command->add_option("--path", options->path, "the spool (default: that of the configuration)");
  CLI::App* looking = command->add_subcommand("check", "say what is damaged and lost; changes nothing");
  looking->add_option("--scratch", options->scratch,
                      "a folder with room for a copy of the logs (default: TMPDIR or /tmp)");
  looking->callback([invocation, options] {
    invocation->run = [invocation, options] {
      return with_settings(*invocation, *options,
                           [&](const conf::SpoolSettings& settings) { return check(settings, *options); });
    };
  });
  CLI::App* mending =
      command->add_subcommand("repair", "set right what can be, set the rest aside, name what is lost");
  mending->callback([invocation, options] {
    invocation->run = [invocation, options] { return with_settings(*invocation, *options, repair); };
  });
}

}  // namespace relay::cli
