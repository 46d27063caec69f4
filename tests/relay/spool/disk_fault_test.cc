// What the spool does while the disk, or the system, does not let it write. The calls of the C library that
// it writes with are played here.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "conf/disk_call.h"
#include "relay/spool/ballast.h"
#include "relay/spool/disk_patience.h"
#include "relay/spool/examination.h"
#include "relay/spool/refused_list.h"
#include "relay/spool/rocks_files.h"
#include "relay/spool/sync_marks.h"
#include "tests/relay/spool/disk_rig.h"

namespace {

std::atomic<bool> g_no_inodes = false;
std::atomic<bool> g_full = false;        // no write goes through, and no room is left
std::atomic<bool> g_syncs_fail = false;  // and what was not synced is lost
std::mutex g_mutex;
std::map<int, std::vector<std::pair<off_t, size_t>>> g_unsynced;
std::vector<std::string> g_synced;    // paths, in their order; g_mutex
std::function<void()> g_before_sync;  // g_mutex

int sync_of(int fd, long call) {
  const std::lock_guard lock(g_mutex);
  if (g_before_sync) g_before_sync();
  if (g_syncs_fail) {
    for (const auto& [at, size] : g_unsynced[fd]) {
      const std::string zeros(size, '\0');
      syscall(SYS_pwrite64, fd, zeros.data(), size, at);
    }
  }
  g_unsynced.erase(fd);
  std::error_code code;
  g_synced.push_back(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), code).string());
  if (g_syncs_fail) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(call, fd));
}

}  // namespace

extern "C" ssize_t pwrite(int fd, const void* from, size_t size, off_t at) {
  if (g_full) {
    errno = ENOSPC;
    return -1;
  }
  const std::lock_guard lock(g_mutex);
  g_unsynced[fd].emplace_back(at, size);
  return syscall(SYS_pwrite64, fd, from, size, at);
}
extern "C" int statvfs(const char* path, struct statvfs* info) {
  using Call = int (*)(const char*, struct statvfs*);
  static const auto call = reinterpret_cast<Call>(dlsym(RTLD_NEXT, "statvfs"));
  const int result = call(path, info);
  if (g_full && result == 0) info->f_bavail = info->f_bfree = 0;
  if (g_no_inodes && result == 0) info->f_files = 1000, info->f_favail = info->f_ffree = 0;
  return result;
}
extern "C" int unlink(const char* path) noexcept {
  {
    const std::lock_guard lock(g_mutex);
    g_synced.push_back(std::string("without ") + path);
  }
  return static_cast<int>(syscall(SYS_unlink, path));
}
extern "C" int fdatasync(int fd) { return sync_of(fd, SYS_fdatasync); }
extern "C" int fsync(int fd) { return sync_of(fd, SYS_fsync); }

namespace relay::spool {
namespace {

class DiskFault : public SpoolOnDisk {
 protected:
  void TearDown() override { g_full = g_syncs_fail = g_no_inodes = false; }
  // `damaged`: that is told, and no failure.
  std::vector<conf::MessageId> recover(bool damaged = false) {
    std::vector<conf::MessageId> found;
    EXPECT_TRUE(spool_
                    ->recover([&found](const MessageRecord& record) { found.push_back(record.id); },
                              [damaged](const std::string& key, const std::string& why) {
                                if (!damaged) ADD_FAILURE() << key << ": " << why;
                              })
                    .ok());
    return found;
  }
  bool store(conf::MessageId id, size_t size = 500) {
    MessageRecord record;
    record.id = id;
    record.recipients.resize(1);
    return spool::store(spool_.get(), record, std::string(size, 'x')).ok();
  }
};

TEST_F(DiskFault, WhatAFailedSyncLostIsWrittenAgain) {
  open();
  ASSERT_TRUE(store(1));
  g_syncs_fail = true;
  bool answered = false, stored = true;
  MessageRecord record;
  record.id = 2;
  record.recipients.resize(1);
  spool_->store(record, conf::Bytes(std::string(500, 'y')), [&](const conf::Result<Receipt>& result) {
    answered = true;
    stored = result.ok();
  });
  MessageRecord first;
  first.id = 1;
  first.recipients.resize(1);
  first.recipients[0].attempts = 7;
  spool_->update(first);
  wait(spool_.get(), [this] { return !spool_->recording() && !spool_->health().accepting; });
  wait(spool_.get(), [&answered] { return answered; });
  EXPECT_FALSE(stored);
  g_syncs_fail = false;
  wait(spool_.get(), [this] { return spool_->recording() && spool_->health().accepting; });
  ASSERT_TRUE(store(3));
  open();
  EXPECT_EQ(recover(), (std::vector<conf::MessageId>{1, 3}));
  EXPECT_EQ(load(spool_.get(), 1)->record.recipients[0].attempts, 7);
}

TEST_F(DiskFault, ASyncThatHangsIsToldAndAgainWhenItGoesOn) {
  open();
  {
    const std::lock_guard lock(g_mutex);
    g_before_sync = [] { std::this_thread::sleep_for(std::chrono::milliseconds(900)); };
  }
  testing::internal::CaptureStderr();
  {
    const conf::DiskWatcher watcher(std::chrono::milliseconds(300));
    EXPECT_TRUE(store(1));
  }
  const std::string said = testing::internal::GetCapturedStderr();
  {
    const std::lock_guard lock(g_mutex);
    g_before_sync = {};
  }
  const std::string what = "syncing " + (folder_ / "db").string();
  EXPECT_NE(said.find("penstock: the disk does not answer: " + what), std::string::npos) << said;
  EXPECT_NE(said.find("penstock: the disk goes on: " + what), std::string::npos) << said;
}

TEST_F(DiskFault, ASpoolOutOfDescriptorsWaitsAndGoesOn) {
  open();
  // Once before none is left: a sanitizer needs a descriptor when it first sees an object of a type.
  conf::MessageId id = 1;
  ASSERT_TRUE(store(id));
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
  const int next = ::open("/dev/null", O_RDONLY);
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  while (id < 300 && store(++id, 1 << 20)) {  // until a table must be written
  }
  const bool waits = !spool_->recording();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_LT(id, 300U);
  EXPECT_TRUE(waits);
  wait(spool_.get(), [this] { return spool_->recording() && spool_->health().accepting; });
  EXPECT_TRUE(store(1000));
}

// Room does not help: the file that gives way on a full disk is kept for one.
TEST_F(DiskFault, ADiskWithoutInodesIsToldOfAndTakesNoBallast) {
  const auto ballast = std::make_shared<Ballast>(folder_, 0);
  ballast->fill();
  DiskPatience patience(ballast);
  unsigned waited = 0;
  g_no_inodes = true;
  patience.wait(folder_ / "000007.log", ENOSPC, &waited);
  ASSERT_TRUE(patience.stalled().has_value());
  EXPECT_EQ(patience.stalled()->code, conf::ErrorCode::kNoSpace);
  EXPECT_NE(patience.stalled()->detail.find("no inode left"), std::string::npos)
      << patience.stalled()->detail;
  EXPECT_FALSE(ballast->short_of_room());
  g_no_inodes = false;
  patience.wait(folder_ / "000007.log", ENOSPC, &waited);
  EXPECT_TRUE(ballast->short_of_room());
}

TEST_F(DiskFault, NewMailIsRefusedBeforeTheInodesRunOut) {
  open();
  g_no_inodes = true;
  wait(spool_.get(), [this] { return !spool_->health().accepting; });
  EXPECT_NE(spool_->health().why.find("inodes: 0 free"), std::string::npos) << spool_->health().why;
  EXPECT_EQ(spool_->health().free_inodes, uint64_t{0});
  EXPECT_TRUE(spool_->recording());
  g_no_inodes = false;
  wait(spool_.get(), [this] { return spool_->health().accepting; });
}

TEST_F(DiskFault, WhoHeard4yzIsNotDeliveredAfterACrash) {
  {
    RefusedList list(folder_);
    list.add({5, 6});
  }
  EXPECT_EQ(RefusedList(folder_).left(), (std::vector<conf::MessageId>{5, 6}));
  open();
  for (const conf::MessageId id : {4, 5, 6}) ASSERT_TRUE(store(id));  // their writes went through after all
  open();
  EXPECT_EQ(recover(), (std::vector<conf::MessageId>{4}));
  spool_->flush();
  EXPECT_EQ(load(spool_.get(), 5).error().code, conf::ErrorCode::kNotFound);
  {
    RefusedList list(folder_);
    list.clear();
  }
  EXPECT_TRUE(RefusedList(folder_).left().empty());
}

// What a power cut would leave of a start that mends.
TEST_F(DiskFault, WhatTakesThePlaceOfDamagedFilesIsSyncedBeforeTheyGo) {
  open();
  for (conf::MessageId id = 1; id <= 20; ++id) ASSERT_TRUE(store(id));
  open();  // its log stays
  spool_.reset();
  const std::filesystem::path db = folder_ / "db", aside = folder_ / "set-aside";
  std::string manifest, log;
  for (const auto& entry : std::filesystem::directory_iterator(db)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("MANIFEST-")) manifest = name;
    if (entry.path().extension() == ".log" && entry.file_size() > 0) log = name;
  }
  ASSERT_FALSE(log.empty());
  const auto synced = [] {
    const std::lock_guard lock(g_mutex);
    return std::exchange(g_synced, {});
  };
  const auto has = [](const std::vector<std::string>& paths, const std::filesystem::path& path) {
    return std::ranges::find(paths, path.string()) != paths.end();
  };
  std::ofstream(db / "CURRENT") << "nonsense";
  synced();
  open();
  std::vector<std::string> paths = synced();
  for (const std::filesystem::path& each :
       {aside / "CURRENT", aside, db.parent_path(), db / "CURRENT.mended", db})
    EXPECT_TRUE(has(paths, each)) << each;
  spool_.reset();

  for (const auto& entry : std::filesystem::directory_iterator(db)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("MANIFEST-")) std::ofstream(entry.path()) << std::string(500, 'x');
    if (entry.path().extension() == ".log" && entry.file_size() > 0) log = name;
  }
  synced();
  open();
  paths = synced();
  EXPECT_TRUE(std::filesystem::exists(aside / "db-1" / log));
  const std::filesystem::path fresh = folder_ / "db.new";
  for (const std::filesystem::path& each : {fresh, fresh.parent_path(), aside})
    EXPECT_TRUE(has(paths, each)) << each;
  const auto is_fresh_table = [&fresh](const std::filesystem::path& path) {
    return path.parent_path() == fresh && path.extension() == ".sst";
  };
  EXPECT_TRUE(std::ranges::any_of(paths, is_fresh_table)) << "what was carried out again";
  EXPECT_EQ(recover(true).size(), 20U);
}

// As it is on disk at each sync of the start that builds it anew.
TEST_F(DiskFault, AStartThatIsKilledWhileItBuildsAnewLosesNothing) {
  open();
  for (conf::MessageId id = 1; id <= 20; ++id) ASSERT_TRUE(store(id));
  spool_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "db")) {
    if (entry.path().filename().string().starts_with("MANIFEST-"))
      std::ofstream(entry.path()) << std::string(500, 'x');
  }
  std::filesystem::remove(folder_ / "ballast");
  const TemporaryFolder killed;
  int syncs = 0;
  {
    const std::lock_guard lock(g_mutex);
    g_before_sync = [&] {
      const std::filesystem::path to = killed / std::to_string(++syncs);
      std::filesystem::copy(folder_, to, std::filesystem::copy_options::recursive);
      std::filesystem::remove(to / "ballast");
    };
  }
  open();
  {
    const std::lock_guard lock(g_mutex);
    g_before_sync = nullptr;
  }
  EXPECT_EQ(recover(true).size(), 20U);
  EXPECT_GE(syncs, 10);
  int between = 0;
  for (int i = 1; i <= syncs; ++i) {
    SCOPED_TRACE("killed before sync " + std::to_string(i));
    spool_.reset();
    std::filesystem::remove_all(folder_);
    std::filesystem::rename(killed / std::to_string(i), folder_);
    if (!std::filesystem::exists(folder_ / "db")) {  // the new one was about to take its place
      ++between;
      conf::Result<Examination> checked = check_spool(folder_, testing::TempDir());
      EXPECT_TRUE(checked.ok() && checked->messages == 20U);
    }
    open();
    EXPECT_EQ(recover(true).size(), 20U);
    EXPECT_TRUE(store(100));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "db.new"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "db.ready"));
  }
  EXPECT_GT(between, 0);
}

// Or the log would be missed after a power cut.
TEST_F(DiskFault, TheMarkOfALogIsOffTheDiskBeforeTheLogGoes) {
  const auto marks = std::make_shared<SyncMarks>(folder_.string());
  const std::unique_ptr<rocksdb::Env> env = make_patient_env(std::make_shared<DiskPatience>(), marks);
  std::filesystem::create_directories(folder_ / "db");
  const std::string log = folder_ / "db/000012.log";
  std::unique_ptr<rocksdb::WritableFile> file;
  ASSERT_TRUE(env->NewWritableFile(log, &file, {}).ok());
  ASSERT_TRUE(file->Append("a batch").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_EQ(SyncMarks(folder_.string()).left().count(12), 1U);
  {
    const std::lock_guard lock(g_mutex);
    g_synced.clear();
  }
  ASSERT_TRUE(env->DeleteFile(log).ok());
  EXPECT_EQ(SyncMarks(folder_.string()).left().count(12), 0U);
  const std::lock_guard lock(g_mutex);
  EXPECT_EQ(g_synced, (std::vector<std::string>{folder_ / "promised", "without " + log}));
}

// A batch costs one sync; the list of files, which grows with each table, costs two.
TEST_F(DiskFault, OnlyTheMarkOfAManifestIsSyncedItself) {
  const auto marks = std::make_shared<SyncMarks>(folder_.string());
  const std::unique_ptr<rocksdb::Env> env = make_patient_env(std::make_shared<DiskPatience>(), marks);
  std::filesystem::create_directories(folder_ / "db");
  const std::string log = folder_ / "db/000012.log", manifest = folder_ / "db/MANIFEST-000005";
  {
    const std::lock_guard lock(g_mutex);
    g_synced.clear();
  }
  for (const std::string& name : {log, manifest}) {
    std::unique_ptr<rocksdb::WritableFile> file;
    ASSERT_TRUE(env->NewWritableFile(name, &file, {}).ok());
    ASSERT_TRUE(file->Append("eleven more").ok());
    ASSERT_TRUE(file->Sync().ok());
  }
  EXPECT_EQ(SyncMarks(folder_.string()).left_of_manifest(5), 11U);
  const std::lock_guard lock(g_mutex);
  EXPECT_EQ(g_synced, (std::vector<std::string>{log, manifest, folder_ / "promised"}));
}

TEST_F(DiskFault, TheBallastGivesWayAndIsTakenBack) {
  Ballast ballast(folder_, 0);
  ballast.fill();
  ASSERT_FALSE(ballast.short_of_room());
  EXPECT_EQ(std::filesystem::file_size(folder_ / "ballast"), Ballast::kSize);
  size_t pieces = 0;
  while (ballast.give_way()) ++pieces;
  EXPECT_EQ(pieces, Ballast::kSize / Ballast::kPiece);
  EXPECT_TRUE(ballast.short_of_room());
  EXPECT_EQ(std::filesystem::file_size(folder_ / "ballast"), 0U);
  ballast.fill();
  EXPECT_FALSE(ballast.short_of_room());
  EXPECT_EQ(std::filesystem::file_size(folder_ / "ballast"), Ballast::kSize);
}

TEST_F(DiskFault, NothingIsAcceptedInTheRoomKeptForResults) {
  open();
  ASSERT_TRUE(store(1));
  g_full = true;
  MessageRecord first;
  first.id = 1;
  first.recipients.resize(1);
  spool_->update(first);
  wait(spool_.get(), [this] { return !spool_->health().accepting; });
  EXPECT_FALSE(store(2));
  EXPECT_NE(spool_->health().why.find("full"), std::string::npos);
  g_full = false;
  wait(spool_.get(), [this] { return spool_->health().accepting; });
  EXPECT_TRUE(store(3));
}

}  // namespace
}  // namespace relay::spool
