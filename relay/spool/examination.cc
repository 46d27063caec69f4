#include "relay/spool/examination.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <thread>

#include "relay/spool/rocks_spool.h"
#include "relay/spool/spool.h"

namespace relay::spool {

namespace {

namespace fs = std::filesystem;

constexpr size_t kReadsAtOnce = 32;

conf::Status nobody_has(const std::string& path) {
  const std::string lock = path + "/db/LOCK";
  std::error_code code;
  if (!fs::exists(path + "/db/CURRENT", code) && !fs::exists(lock, code) &&
      !fs::exists(path + "/db.ready", code))
    return conf::Error{conf::ErrorCode::kNotFound, "there is no spool in " + path};
  const int file = ::open(lock.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return conf::success();  // never opened; or not readable, and then nothing else is
  struct flock held {};
  held.l_type = F_WRLCK;
  held.l_whence = SEEK_SET;
  const bool taken = ::fcntl(file, F_GETLK, &held) == 0 && held.l_type != F_UNLCK;
  ::close(file);
  if (!taken) return conf::success();
  return conf::Error{conf::ErrorCode::kRefused, "process " + std::to_string(held.l_pid) + " has the spool " +
                                                    path + " open; stop the relay first"};
}

// A copy to try things on. Files that are never written again are only referred to.
class Copy {
 public:
  explicit Copy(const std::string& scratch) {
    std::string folder = (fs::path(scratch) / "penstock-spool-XXXXXX").string();
    if (::mkdtemp(folder.data()) != nullptr) folder_ = folder;
  }
  ~Copy() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  const std::string& folder() const { return folder_; }

  std::error_code take(const std::string& path) const {
    if (folder_.empty()) return std::make_error_code(std::errc::permission_denied);
    std::error_code code;
    // As a start that was interrupted left it, see take_up_rebuild().
    const char* database = fs::exists(fs::path(path) / "db") ? "db" : "db.ready";
    fs::create_directory(fs::path(folder_) / database, code);
    for (const char* name : {"promised", "refused"}) {
      if (!code && fs::exists(fs::path(path) / name))
        fs::copy_file(fs::path(path) / name, fs::path(folder_) / name, code);
    }
    if (code) return code;
    for (const auto& entry : fs::directory_iterator(fs::path(path) / database, code)) {
      const fs::path name = entry.path().filename();
      const fs::path to = fs::path(folder_) / database / name;
      if (name == "LOCK" || !entry.is_regular_file()) continue;
      const bool stays = name.extension() == ".sst" || name.extension() == ".blob";
      if (stays) {
        fs::create_symlink(fs::absolute(entry.path()), to, code);
      } else {
        fs::copy_file(entry.path(), to, code);
      }
      if (code) break;
    }
    return code;
  }

 private:
  std::string folder_;
};

// Reads the bodies of all messages; what cannot be read is set aside by that.
void read_bodies(Spool* spool, const std::vector<conf::MessageId>& ids, Examination* found) {
  size_t open = 0;
  const auto drain = [&](size_t most) {
    while (open > most) {
      if (spool->drain_completions() == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  };
  for (const conf::MessageId id : ids) {
    ++open;
    spool->load(id, true, [&, id](conf::Result<LoadedMessage> loaded) {
      --open;
      if (!loaded.ok()) {
        found->damage.emplace_back(conf::to_text(id), "it is lost: " + loaded.error().detail);
        return;
      }
      ++found->messages;
      found->octets += loaded.value().body.size();
      for (const RecipientRecord& each : loaded.value().record.recipients)
        found->recipients += each.state == RecipientState::kPending ? 1 : 0;
    });
    drain(kReadsAtOnce);
  }
  drain(0);
}

conf::Result<Examination> examine(const conf::SpoolSettings& settings) {
  auto opened = RocksSpool::open(settings);
  if (!opened.ok()) return opened.error();
  Spool* spool = opened->get();
  Examination found;
  const auto note = [&found](std::string where, std::string what) {
    found.damage.emplace_back(std::move(where), std::move(what));
  };
  std::vector<conf::MessageId> ids;
  const conf::Status read =
      spool->recover([&ids](const MessageRecord& record) { ids.push_back(record.id); },  // in their order
                     note);
  if (!read.ok()) return read.error();
  const conf::Status kept = spool->kept(
      [](std::string_view, std::string_view) {},
      [&note](const std::string& key, const std::string& why) { note("the kept value " + key, why); });
  if (!kept.ok()) return kept.error();
  read_bodies(spool, ids, &found);
  spool->flush();
  return found;
}

}  // namespace

conf::Result<Examination> check_spool(const std::string& path, const std::string& scratch) {
  if (const conf::Status free = nobody_has(path); !free.ok()) return free.error();
  const Copy copy(scratch);
  if (const std::error_code code = copy.take(path); code)
    return conf::Error{conf::ErrorCode::kIo, "the logs of " + path + " cannot be copied to " + scratch +
                                                 " to be looked through: " + code.message() +
                                                 "; name another folder with --scratch"};
  conf::SpoolSettings settings;
  settings.path = copy.folder();
  settings.reserve_bytes = std::numeric_limits<uint64_t>::max() / 2;  // no ballast is made
  return examine(settings);
}

conf::Result<Examination> repair_spool(const conf::SpoolSettings& settings) {
  if (const conf::Status free = nobody_has(settings.path); !free.ok()) return free.error();
  return examine(settings);
}

}  // namespace relay::spool
