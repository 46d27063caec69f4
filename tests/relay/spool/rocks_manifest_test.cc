// What damage does to RocksDB's list of its files, the MANIFEST: a spool with several tables, changed behind
// its back.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "relay/spool/disk_patience.h"
#include "relay/spool/examination.h"
#include "relay/spool/record.h"
#include "relay/spool/rocks_files.h"
#include "relay/spool/sync_marks.h"
#include "tests/relay/spool/disk_rig.h"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;

constexpr conf::MessageId kFlushes = 3, kEach = 5, kAll = kFlushes * kEach;

class DamagedManifest : public SpoolOnDisk {
 protected:
  void SetUp() override {
    make();
    fs::copy(folder_, whole_, fs::copy_options::recursive);
    for (const auto& entry : fs::directory_iterator(folder_ / "db")) {
      if (entry.path().filename().string().starts_with("MANIFEST-")) manifest_ = entry.path();
    }
    content_ = read(manifest_);
    ASSERT_GE(records().size(), kFlushes);
  }
  // Written out after every few messages, as a spool of many is; it ends as by a crash.
  void make() {
    fs::create_directories(folder_ / "db");
    const auto marks = std::make_shared<SyncMarks>(folder_.string());
    const std::unique_ptr<rocksdb::Env> env = make_patient_env(std::make_shared<DiskPatience>(), marks);
    rocksdb::DBOptions options;
    options.env = env.get();
    options.create_if_missing = options.create_missing_column_families = true;
    rocksdb::ColumnFamilyOptions plain;
    plain.compression = rocksdb::kNoCompression;
    rocksdb::ColumnFamilyOptions bodies = plain;
    bodies.enable_blob_files = true;
    bodies.min_blob_size = 256;
    rocksdb::DB* raw = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    ASSERT_TRUE(
        rocksdb::DB::Open(options, (folder_ / "db").string(),
                          {{"default", plain}, {"records", plain}, {"bodies", bodies}, {"states", plain}},
                          &handles, &raw)
            .ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    for (conf::MessageId id = 1; id <= kAll; ++id) {
      MessageRecord record;
      record.id = id;
      record.recipients.resize(1);
      const BodyHeader header = body_header(id, body_of(id));
      rocksdb::WriteOptions synced;
      synced.sync = true;
      ASSERT_TRUE(db->Put(synced, handles[1], id_key(id), encode_record(record)).ok());
      ASSERT_TRUE(
          db->Put(synced, handles[2], id_key(id), std::string(header.data(), header.size()) + body_of(id))
              .ok());
      if (id == kAll) old_marks_ = read(folder_ / "promised");
      if (id % kEach == 0) {
        ASSERT_TRUE(db->Flush({}, handles).ok());
      }
    }
    for (rocksdb::ColumnFamilyHandle* each : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(each).ok());
  }
  static std::string body_of(conf::MessageId id) {
    return "Subject: " + std::to_string(id) + "\r\n\r\n" + std::string(500, 'x') + "\r\n";
  }
  static std::string read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const fs::path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  }
  // Where its records begin; it is shorter than a block.
  std::vector<size_t> records() const {
    std::vector<size_t> begins;
    for (size_t at = 0; at + 7 <= content_.size();) {
      begins.push_back(at);
      at += 7 + static_cast<unsigned char>(content_[at + 4]) +
            256 * static_cast<unsigned char>(content_[at + 5]);
    }
    return begins;
  }
  void restore() const {
    fs::remove_all(folder_);
    fs::copy(whole_, folder_, fs::copy_options::recursive);
  }
  // A start finds every message, and what it says.
  std::set<std::string> start() const {
    std::set<std::string> said;
    auto opened = RocksSpool::open(settings());
    EXPECT_TRUE(opened.ok()) << opened.error().detail;
    if (!opened.ok()) return said;
    std::set<conf::MessageId> found;
    EXPECT_TRUE(opened.value()
                    ->recover([&](const MessageRecord& record) { found.insert(record.id); },
                              [&](const std::string& what, const std::string& why) {
                                said.insert(what + ": " + why);
                              })
                    .ok());
    EXPECT_EQ(found.size(), kAll);
    for (const conf::MessageId id : found) {
      conf::Result<LoadedMessage> loaded = load(opened->get(), id);
      EXPECT_TRUE(loaded.ok() && loaded->body.view() == body_of(id)) << id;
    }
    return said;
  }
  bool built_anew() const { return fs::exists(folder_ / "set-aside/db-1"); }

  TemporaryFolder whole_;
  fs::path manifest_;
  std::string content_;
  std::string old_marks_;  // of before the last log was dropped
};

TEST_F(DamagedManifest, DamageInAnyRecordLosesNothing) {
  int kind = 0;
  for (const size_t at : records()) {
    SCOPED_TRACE("octet " + std::to_string(at) + ", damage " + std::to_string(kind % 5));
    std::string wrong = content_;
    if (kind % 5 == 0) wrong.replace(at, 8, 8, '\xff');
    if (kind % 5 == 1) wrong[at + 5] ^= 0x18;  // a length beyond the file
    if (kind % 5 == 2) wrong[at + 5] = '\xff';
    if (kind % 5 == 3) wrong.replace(at, 512, std::min<size_t>(512, wrong.size() - at), '\0');
    if (kind % 5 == 4) wrong[at + 7] ^= 1, wrong[at + 8] ^= 1;
    write(manifest_, wrong);
    if (kind % 2 == 1) fs::remove(folder_ / "promised");  // as of a program that made no marks
    if (kind++ < 5) {
      conf::Result<Examination> checked = check_spool(folder_, testing::TempDir());
      ASSERT_TRUE(checked.ok()) << checked.error().detail;
      EXPECT_FALSE(checked->good());
      EXPECT_EQ(checked->messages, kAll);
    }
    EXPECT_FALSE(start().empty());
    EXPECT_TRUE(built_anew());
    if (kind < 5) {
      EXPECT_TRUE(start().empty()) << "the second start";
    }
    restore();
  }
}

TEST_F(DamagedManifest, AnEndThatWasPromisedIsMissed) {
  const std::vector<size_t> begins = records();
  for (const size_t at : {begins[1], begins[begins.size() / 2], begins.back()}) {
    fs::resize_file(manifest_, at);
    EXPECT_FALSE(start().empty());
    EXPECT_TRUE(built_anew()) << at;
    restore();
  }
}

TEST_F(DamagedManifest, AnEndThatACrashLeftIsNoDamage) {
  for (const std::string& end :
       {content_.substr(0, 20), content_.substr(0, 3), std::string(600, '\0'), std::string(600, 'x')}) {
    write(manifest_, content_ + end);
    EXPECT_TRUE(start().empty());
    EXPECT_FALSE(built_anew());
    restore();
  }
}

TEST_F(DamagedManifest, WithoutItNothingIsLost) {
  fs::remove(manifest_);
  EXPECT_FALSE(start().empty());
  restore();
  fs::remove(manifest_);
  fs::remove(folder_ / "db/CURRENT");
  EXPECT_FALSE(start().empty());
}

// A power cut may bring back marks of before.
TEST_F(DamagedManifest, ALogThatWasWrittenOutIsNotMissed) {
  write(folder_ / "promised", old_marks_);
  EXPECT_TRUE(start().empty());
}

TEST_F(DamagedManifest, MarksThatCannotBeReadAreSaid) {
  const std::string marks = read(folder_ / "promised");
  for (const size_t at : {size_t{7}, size_t{16}, size_t{20}, size_t{500}}) {
    std::string wrong = marks;
    wrong[at] = static_cast<char>(wrong[at] ^ 0x14);
    write(folder_ / "promised", wrong);
    EXPECT_EQ(start().size(), 1U) << at;
    EXPECT_FALSE(built_anew());
    restore();
  }
}

}  // namespace
}  // namespace relay::spool
