// What damage on the disk does: the files of a real database are changed behind its back.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/spool/examination.h"
#include "relay/spool/record.h"
#include "relay/spool/rocks_spool.h"
#include "tests/relay/spool/spool_calls.h"

namespace relay::spool {
namespace {

class DamagedSpool : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / ("penstock-damage-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    open();
  }
  void TearDown() override {
    spool_.reset();
    std::filesystem::remove_all(folder_);
    if (!backup_.empty()) std::filesystem::remove_all(backup_);
  }
  void open() {
    spool_.reset();
    conf::SpoolSettings settings;
    settings.path = folder_;
    settings.reserve_bytes = 0;
    auto opened = RocksSpool::open(settings);
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    spool_ = std::move(*opened);
  }
  void store(conf::MessageId id) { EXPECT_TRUE(store_small(spool_.get(), id, body_of(id)).ok()); }
  static std::string body_of(conf::MessageId id) {
    return "Subject: " + std::to_string(id) + "\r\n\r\n" + std::string(500, 'x') + "\r\n";
  }
  conf::Result<LoadedMessage> load(conf::MessageId id) { return spool::load(spool_.get(), id); }
  void recover() {
    found_.clear();
    aside_.clear();
    const conf::Status status =
        spool_->recover([this](MessageRecord record) { found_[record.id] = std::move(record); },
                        [this](const std::string& key, const std::string& why) { aside_[key] = why; });
    ASSERT_TRUE(status.ok()) << status.error().detail;
  }
  // The newest file of the database with that ending or beginning, after a copy of the whole spool is kept.
  std::filesystem::path file_of(const std::string& part) {
    if (backup_.empty()) {
      backup_ = folder_.string() + "-backup";
      std::filesystem::remove_all(backup_);
      std::filesystem::copy(folder_, backup_, std::filesystem::copy_options::recursive);
    }
    std::filesystem::path newest;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "db")) {
      const std::string name = entry.path().filename();
      if ((name.starts_with(part) || name.ends_with(part)) && std::filesystem::file_size(entry.path()) > 0 &&
          name > newest.filename().string())
        newest = entry.path();
    }
    return newest;
  }
  void restore() {
    std::filesystem::remove_all(folder_);
    std::filesystem::copy(backup_, folder_, std::filesystem::copy_options::recursive);
  }
  std::map<std::string, std::string> all_files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (entry.is_regular_file() && entry.path().filename() != "ballast")
        files[entry.path()] = content(entry.path());
    }
    return files;
  }
  // All that is in logs goes to tables.
  void write_out() {
    spool_.reset();
    rocksdb::DB* raw = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::ColumnFamilyOptions plain;
    plain.compression = rocksdb::kNoCompression;
    rocksdb::ColumnFamilyOptions bodies = plain;
    bodies.enable_blob_files = true;
    bodies.min_blob_size = 256;
    const std::vector<rocksdb::ColumnFamilyDescriptor> tables = {
        {"default", plain}, {"records", plain}, {"bodies", bodies}, {"states", plain}};
    ASSERT_TRUE(rocksdb::DB::Open({}, (folder_ / "db").string(), tables, &handles, &raw).ok());
    std::unique_ptr<rocksdb::DB> db(raw);
    ASSERT_TRUE(db->Flush({}, handles).ok());
    for (rocksdb::ColumnFamilyHandle* handle : handles)
      ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
    db.reset();
    std::filesystem::remove(folder_ / "promised");  // it is of a log that is gone in this way
    open();
  }
  static std::string content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const std::filesystem::path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  }
  // Where the records of a log begin.
  static std::vector<size_t> records_of(const std::string& log) {
    std::vector<size_t> begins;
    for (size_t at = 0; at + 7 <= log.size();) {
      if (32768 - at % 32768 < 7) {
        at += 32768 - at % 32768;
        continue;
      }
      begins.push_back(at);
      at += 7 + static_cast<unsigned char>(log[at + 4]) + 256 * static_cast<unsigned char>(log[at + 5]);
    }
    return begins;
  }
  // Changes one byte of the value of a key in a table of the closed database.
  void flip_value(const std::string& table, const std::string& key) {
    spool_.reset();
    rocksdb::DB* raw = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    const std::vector<rocksdb::ColumnFamilyDescriptor> tables = {
        {"default", {}}, {"records", {}}, {"bodies", {}}, {"states", {}}};
    ASSERT_TRUE(rocksdb::DB::Open({}, (folder_ / "db").string(), tables, &handles, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    std::filesystem::remove(folder_ / "promised");  // its log goes
    rocksdb::ColumnFamilyHandle* handle = handles[table == "default" ? 0 : table == "records" ? 1 : 2];
    std::string value;
    ASSERT_TRUE(db->Get({}, handle, key, &value).ok());
    value[value.size() / 2] ^= 0x10;
    ASSERT_TRUE(db->SingleDelete({}, handle, key).ok());
    ASSERT_TRUE(db->Put({}, handle, key, value).ok());
    for (rocksdb::ColumnFamilyHandle* each : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(each).ok());
  }
  // Changes one byte in the middle of the largest file with this ending.
  void flip_file(const std::string& ending) {
    spool_.reset();
    std::filesystem::path largest;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "db")) {
      if (entry.path().extension() != ending) continue;
      if (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)) largest = entry.path();
    }
    ASSERT_FALSE(largest.empty());
    std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(std::filesystem::file_size(largest) / 2));
    const std::streamoff at = file.tellg();
    const char byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(at);
    file.put(byte);
  }

  std::filesystem::path backup_;
  std::filesystem::path folder_;
  std::unique_ptr<Spool> spool_;
  std::map<conf::MessageId, MessageRecord> found_;
  std::map<std::string, std::string> aside_;
};

TEST_F(DamagedSpool, ABadRecordIsSetAsideAndTheRestGoesOn) {
  for (conf::MessageId id = 1; id <= 5; ++id) store(id);
  flip_value("records", id_key(3));
  open();
  recover();
  EXPECT_EQ(found_.size(), 4U);
  ASSERT_EQ(aside_.count(conf::to_text(conf::MessageId{3})), 1U);
  EXPECT_EQ(aside_.begin()->second, "it cannot be read and was set aside: record fails its checksum");
  EXPECT_TRUE(
      std::filesystem::exists(folder_ / "set-aside" / (conf::to_text(conf::MessageId{3}) + ".record")));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "set-aside" / (conf::to_text(conf::MessageId{3}) + ".body")));
  EXPECT_EQ(load(4).value().body.view(), body_of(4));
  spool_->flush();
  open();
  recover();
  EXPECT_EQ(found_.size(), 4U);
  EXPECT_TRUE(aside_.empty()) << "set aside once";
}

TEST_F(DamagedSpool, ABadBodyIsSetAsideWhenItIsRead) {
  for (conf::MessageId id = 1; id <= 3; ++id) store(id);
  flip_value("bodies", id_key(2));
  open();
  recover();
  EXPECT_EQ(found_.size(), 3U) << "bodies are not read at the start";
  EXPECT_EQ(load(2).error().code, conf::ErrorCode::kCorrupt);
  EXPECT_EQ(load(1).value().body.view(), body_of(1));
  EXPECT_EQ(spool_->counters().set_aside, 1U);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "set-aside" / (conf::to_text(conf::MessageId{2}) + ".body")));
}

TEST_F(DamagedSpool, WhatIsTakenOutWhileItIsReadIsGoneOrWholeAndNeverDamaged) {
  constexpr conf::MessageId kMessages = 400;
  MessageRecord record;
  record.recipients.resize(200);  // there is something to read between the record and the body
  for (conf::MessageId id = 1; id <= kMessages; ++id) {
    record.id = id;
    record.recipients[0].state = RecipientState::kPending;
    ASSERT_TRUE(spool::store(spool_.get(), record, body_of(id)).ok());
    record.recipients[0].state = RecipientState::kDelivered;
    spool_->update(record, std::vector<uint32_t>{0});
  }
  size_t answers = 0, gone = 0;
  for (conf::MessageId id = 1; id <= kMessages; ++id) {
    spool_->load(id, true, [&](conf::Result<LoadedMessage> loaded) {
      ++answers;
      if (loaded.ok()) {
        EXPECT_EQ(loaded->record.recipients[0].state, RecipientState::kDelivered)
            << "of one moment: its record without what became of it";
      } else {
        ++gone;
        EXPECT_EQ(loaded.error().code, conf::ErrorCode::kNotFound) << loaded.error().detail;
      }
    });
    spool_->remove(id);
    if (id % 4 == 0) wait(spool_.get(), [&] { return answers == id; });
  }
  wait(spool_.get(), [&] { return answers == kMessages; });
  EXPECT_EQ(spool_->counters().set_aside, 0U);
  EXPECT_GT(gone, 0U);
}

TEST_F(DamagedSpool, ABadKeptValueIsPassedOverAndReported) {
  spool_->keep_all({{"a", "1"}, {"b", "2"}, {"c", "3"}}, nullptr);
  store(1);
  flip_value("default", "b");
  open();
  std::map<std::string, std::string> good;
  const auto read = [this, &good] {
    good.clear();
    aside_.clear();
    ASSERT_TRUE(
        spool_
            ->kept([&](std::string_view key, std::string_view value) { good[std::string(key)] = value; },
                   [&](const std::string& key, const std::string& why) { aside_[key] = why; })
            .ok());
  };
  read();
  EXPECT_EQ(good, (std::map<std::string, std::string>{{"a", "1"}, {"c", "3"}}));
  EXPECT_EQ(aside_, (std::map<std::string, std::string>{{"b", "value fails its checksum"}}));
  spool_->keep("b", "4", nullptr);
  spool_->flush();
  read();
  EXPECT_EQ(good.size(), 3U);
  EXPECT_TRUE(aside_.empty());
  recover();
  EXPECT_EQ(found_.size(), 1U);
}

// A power cut keeps what was synced: the files as they are after the answer, without a close.
TEST_F(DamagedSpool, AnAnsweredKeepIsInTheFiles) {
  std::optional<conf::Status> answer;
  spool_->keep_all({{"a", "1"}, {"b", "2"}}, [&answer](conf::Status status) { answer = std::move(status); });
  wait(spool_.get(), [&answer] { return answer.has_value(); });
  ASSERT_TRUE(answer->ok());
  EXPECT_EQ(spool_->counters().syncs, 1U);
  const std::filesystem::path copy = folder_.string() + "-copy";
  std::filesystem::remove_all(copy);
  std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
  spool_.reset();
  std::filesystem::remove_all(folder_);
  std::filesystem::rename(copy, folder_);
  open();
  int found = 0;
  ASSERT_TRUE(spool_
                  ->kept([&found](std::string_view, std::string_view) { ++found; },
                         [](const std::string& key, const std::string&) { FAIL() << key; })
                  .ok());
  EXPECT_EQ(found, 2);
}

TEST_F(DamagedSpool, OneWrongBitInTheLogLosesNothing) {
  for (conf::MessageId id = 1; id <= 60; ++id) store(id);
  spool_.reset();
  const std::filesystem::path log = file_of(".log");
  const std::string whole = content(log);
  std::vector<std::pair<size_t, int>> bits;
  for (const size_t record :
       records_of(whole))  // the length of the last ones: RocksDB takes it for a cut end
    if (record + 2000 > whole.size())
      bits.insert(bits.end(), {{record + 5, 6}, {record + 4, 0}, {record + 6, 1}});
  bits.insert(bits.end(), {{100, 3}, {whole.size() / 2, 7}, {whole.size() - 1, 0}});
  for (const auto& [at, bit] : bits) {
    std::string wrong = whole;
    wrong[at] = static_cast<char>(wrong[at] ^ (1 << bit));
    write(log, wrong);
    open();
    recover();
    EXPECT_EQ(found_.size(), 60U) << at << ' ' << bit;
    EXPECT_EQ(aside_.count("the spool"), 1U) << at << ' ' << bit;
    EXPECT_EQ(load(60)->body.view(), body_of(60));
    spool_.reset();
    restore();
  }
}

TEST_F(DamagedSpool, WhatIsLostInTheLogIsNamedAndHidesNothing) {
  for (conf::MessageId id = 1; id <= 60; ++id) store(id);
  spool_.reset();
  const std::filesystem::path log = file_of(".log");
  const std::string whole = content(log);
  const std::vector<size_t> records = records_of(whole);
  ASSERT_GT(records.size(), 50U);
  for (const size_t victim : {records[30], records[50], records[55]}) {
    std::string wrong = whole;
    wrong.replace(victim, 6, "\x13\x57\x9b\xdf\x24\x68");
    write(log, wrong);
    open();
    recover();
    EXPECT_EQ(found_.size(), 59U) << victim;

    size_t named = 0;
    for (conf::MessageId id = 1; id <= 60; ++id) {
      if (found_.count(id) == 0) named += aside_.count(conf::to_text(id));
    }
    EXPECT_EQ(named, 1U) << victim;
    spool_.reset();
    restore();
  }
}

TEST_F(DamagedSpool, ALogThatEndsTooSoonIsSaid) {
  for (conf::MessageId id = 1; id <= 20; ++id) store(id);
  spool_.reset();
  const std::filesystem::path log = file_of(".log");
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 12'000);
  open();
  recover();
  EXPECT_LT(found_.size(), 20U);
  EXPECT_EQ(aside_.count("the spool"), 1U);
}

TEST_F(DamagedSpool, OneWrongBitInCurrentOrManifestDoesNotStopTheStart) {
  for (conf::MessageId id = 1; id <= 20; ++id) store(id);
  spool_.reset();
  for (const char* name : {"CURRENT", "MANIFEST"}) {
    const std::filesystem::path file = file_of(name);
    const size_t size = std::filesystem::file_size(file);
    for (size_t at = 0; at < size; at += 1 + size / 8) {
      std::string wrong = content(file_of(name));
      wrong[at] = static_cast<char>(wrong[at] ^ 0x20);
      write(file_of(name), wrong);
      open();
      recover();
      EXPECT_EQ(found_.size(), 20U) << name << ' ' << at;
      EXPECT_EQ(load(20)->body.view(), body_of(20));
      spool_.reset();
      restore();
    }
  }
}

// Written out, then damaged in the places that RocksDB needs to open a table.
TEST_F(DamagedSpool, ADamagedTableDoesNotStopTheStart) {
  for (conf::MessageId id = 1; id <= 20; ++id) store(id);
  write_out();
  for (conf::MessageId id = 21; id <= 25; ++id) store(id);
  spool_.reset();
  (void)file_of("CURRENT");  // keeps a copy
  size_t tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(backup_ / "db")) {
    if (entry.path().extension() != ".sst") continue;
    ++tables;
    const std::filesystem::path file = folder_ / "db" / entry.path().filename();
    std::string wrong = content(file);
    for (size_t i = wrong.size() - 20; i < wrong.size(); ++i) wrong[i] = 'x';
    write(file, wrong);
    open();
    recover();
    EXPECT_GE(found_.size(), 5U) << file;
    conf::Result<LoadedMessage> newest = load(25);
    EXPECT_TRUE(newest.ok() && newest->body.view() == body_of(25))
        << file << (newest.ok() ? "" : newest.error().detail);
    EXPECT_TRUE(std::filesystem::exists(folder_ / "set-aside/db-1" / file.filename()));
    if (found_.size() == 25) {
      conf::Result<LoadedMessage> older = load(20);
      EXPECT_TRUE(older.ok() && older->body.view() == body_of(20)) << "its body is in a file of its own";
    }
    spool_.reset();
    restore();
  }
  EXPECT_GE(tables, 2U);
}

// One bit at many places of every file there is: the start goes on, and no message is missing without its
// name.
TEST_F(DamagedSpool, AWrongBitInAnyFileStopsNoStartAndLosesNothingSilently) {
  for (conf::MessageId id = 1; id <= 20; ++id) store(id);
  MessageRecord later;
  later.id = 7;
  later.recipients.resize(1);
  later.recipients[0].attempts = 3;
  spool_->update(later);
  spool_->keep("quota", "12", nullptr);
  write_out();
  for (conf::MessageId id = 21; id <= 30; ++id) store(id);
  spool_.reset();
  (void)file_of("CURRENT");  // keeps a copy
  std::filesystem::remove(backup_ / "ballast");
  std::set<std::string> kinds;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(backup_)) {
    const std::filesystem::path name = std::filesystem::relative(entry.path(), backup_);
    if (!entry.is_regular_file() || entry.file_size() == 0) continue;
    kinds.insert(name.extension().empty() ? name.filename().string().substr(0, 7)
                                          : name.extension().string());
    const size_t size = entry.file_size();
    for (size_t at = 0; at < size; at += 1 + size / 10) {
      std::string wrong = content(folder_ / name);
      wrong[at] = static_cast<char>(wrong[at] ^ (1 << (at % 8)));
      write(folder_ / name, wrong);
      SCOPED_TRACE(name.string() + ' ' + std::to_string(at));
      open();
      if (spool_ != nullptr) recover();
      int lost = 0;
      for (conf::MessageId id = 1; id <= 30 && spool_ != nullptr; ++id) {
        const bool named = aside_.count(conf::to_text(id)) != 0;
        if (found_.count(id) == 0) {
          ++lost;
          EXPECT_TRUE(named) << "message " << id << " is missing and not named";
        } else if (auto loaded = load(id); loaded.ok()) {
          EXPECT_EQ(loaded->body.view(), body_of(id));
        } else {
          ++lost;
          EXPECT_EQ(loaded.error().code, conf::ErrorCode::kCorrupt);
        }
      }
      EXPECT_LE(lost, 1) << "one bit, one message";
      spool_.reset();
      restore();
    }
  }
  for (const char* kind : {".sst", ".blob", ".log", "CURRENT", "MANIFES", "OPTIONS"})
    EXPECT_EQ(kinds.count(kind), 1U) << kind;
}

// As of a block that the disk cannot read: the next body is found although nothing says where it begins.
TEST_F(DamagedSpool, ASpoiltHeadInAFileOfBodiesCostsThatBodyAlone) {
  for (conf::MessageId id = 1; id <= 20; ++id) store(id);
  write_out();
  spool_.reset();
  const std::filesystem::path bodies = file_of(".blob");
  std::string wrong = content(bodies);
  wrong.replace(30, 32, 32, '\0');
  wrong.back() = static_cast<char>(wrong.back() ^ 1);  // so that RocksDB reads none of them
  write(bodies, wrong);
  open();
  recover();
  EXPECT_FALSE(load(1).ok());
  for (conf::MessageId id = 2; id <= 20; ++id) {
    auto loaded = load(id);
    EXPECT_TRUE(loaded.ok() && loaded->body.view() == body_of(id)) << id;
  }
}

TEST_F(DamagedSpool, CheckSaysWhatRepairThenDoesAndChangesNothing) {
  for (conf::MessageId id = 1; id <= 20; ++id) store(id);
  write_out();
  for (conf::MessageId id = 21; id <= 30; ++id) store(id);
  spool_.reset();
  std::map<std::string, std::string> before = all_files();
  conf::Result<Examination> found = check_spool(folder_, testing::TempDir());
  ASSERT_TRUE(found.ok()) << found.error().detail;
  EXPECT_TRUE(found->good());
  EXPECT_EQ(found->messages, 30U);
  EXPECT_EQ(found->recipients, 30U);
  EXPECT_TRUE(all_files() == before);

  flip_file(".blob");  // a body that a start does not read
  before = all_files();
  found = check_spool(folder_, testing::TempDir());
  ASSERT_TRUE(found.ok()) << found.error().detail;
  ASSERT_EQ(found->damage.size(), 1U);
  EXPECT_EQ(found->messages, 29U);
  EXPECT_TRUE(all_files() == before) << "check has written";

  conf::SpoolSettings settings;
  settings.path = folder_;
  settings.reserve_bytes = 0;
  conf::Result<Examination> repaired = repair_spool(settings);
  ASSERT_TRUE(repaired.ok()) << repaired.error().detail;
  EXPECT_EQ(repaired->damage, found->damage);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "set-aside" / (found->damage.front().first + ".record")));
  found = check_spool(folder_, testing::TempDir());
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->good());
  EXPECT_EQ(found->messages, 29U);
}

TEST_F(DamagedSpool, ASpoolThatIsOpenIsNotExamined) {
  store(1);
  const pid_t child = fork();  // locks are those of a process
  if (child == 0) {
    const conf::Result<Examination> found = check_spool(folder_, testing::TempDir());
    _exit(!found.ok() && found.error().code == conf::ErrorCode::kRefused ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(check_spool(folder_ / "db", testing::TempDir()).error().code, conf::ErrorCode::kNotFound);
}

// tests/relay/spool/v1 was written by a program that kept the state of all recipients in the record.
TEST(OlderSpool, IsReadAndGoesOn) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("penstock-older-" + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  std::filesystem::copy(PENSTOCK_SOURCE_DIR "/tests/relay/spool/v1", folder,
                        std::filesystem::copy_options::recursive);
  conf::SpoolSettings settings;
  settings.path = folder;
  settings.reserve_bytes = 0;
  std::map<conf::MessageId, MessageRecord> found;
  for (const uint16_t attempts : {3, 4}) {
    auto opened = RocksSpool::open(settings);
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    Spool& spool = *opened.value();
    found.clear();
    ASSERT_TRUE(spool
                    .recover([&found](MessageRecord record) { found[record.id] = std::move(record); },
                             [](const std::string& key, const std::string& why) {
                               ADD_FAILURE() << key << ": " << why;
                             })
                    .ok());
    ASSERT_EQ(found.size(), 2U);
    EXPECT_TRUE(found[1].on_hold);
    EXPECT_EQ(found[1].recipients[0].state, RecipientState::kDelivered);
    EXPECT_EQ(found[1].recipients[1].attempts, attempts);
    EXPECT_EQ(found[1].recipients[1].last_reply, "later");
    EXPECT_FALSE(found[2].on_hold);
    EXPECT_EQ(found[2].recipients[2].state, RecipientState::kPending);
    EXPECT_EQ(spool.kept_value("K").value(), "value");
    EXPECT_EQ(load(&spool, 2).value().body.view(), "Subject: v1\r\n\r\n");
    found[1].recipients[1].attempts = 4;
    spool.update(found[1], deliveries_of(found[1])[1]);
    spool.flush();
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace relay::spool
