// What damage on the disk does: bytes of a real database are changed behind its back.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
  void store(conf::MessageId id) {
    MessageRecord record;
    record.id = id;
    record.recipients.resize(1);
    EXPECT_TRUE(spool::store(spool_.get(), record, body_of(id)).ok());
  }
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
  // Changes one byte of the value of a key in a table of the closed database.
  void flip_value(const std::string& table, const std::string& key) {
    spool_.reset();
    rocksdb::DB* raw = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    const std::vector<rocksdb::ColumnFamilyDescriptor> tables = {
        {"default", {}}, {"records", {}}, {"bodies", {}}};
    ASSERT_TRUE(rocksdb::DB::Open({}, (folder_ / "db").string(), tables, &handles, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
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
  EXPECT_EQ(aside_.begin()->second, "record fails its checksum");
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

TEST_F(DamagedSpool, DamageInTheLogDoesNotHideWhatCameAfterIt) {
  for (conf::MessageId id = 1; id <= 200; ++id) store(id);
  flip_file(".log");
  open();
  recover();
  EXPECT_LT(found_.size(), 200U) << "the byte was in a message";
  EXPECT_EQ(found_.count(1), 1U);
  EXPECT_EQ(found_.count(200), 1U) << "written after the damage";
  EXPECT_GT(found_.size(), 100U);
  EXPECT_EQ(aside_.count("write-ahead log"), 1U);
  const std::filesystem::directory_iterator kept(folder_ / "set-aside");
  EXPECT_EQ(kept->path().extension(), ".log");
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
