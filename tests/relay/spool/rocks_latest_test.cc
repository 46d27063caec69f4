// Which messages stood in a destroyed place of the write-ahead log.
#include "relay/spool/rocks_latest.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "tests/relay/spool/disk_rig.h"

namespace relay::spool {
namespace {

namespace fs = std::filesystem;

class DestroyedSector : public SpoolOnDisk {
 protected:
  static constexpr size_t kSector = 4096;
  void store(conf::MessageId id) { ASSERT_TRUE(store_small(spool_.get(), id, std::string(300, 'x')).ok()); }
  void recover() {
    found_.clear();
    named_.clear();
    ASSERT_TRUE(spool_
                    ->recover([this](const MessageRecord& record) { found_.insert(record.id); },
                              [this](const std::string& key, const std::string&) { named_.insert(key); })
                    .ok());
  }
  fs::path log() const {
    for (const auto& entry : fs::directory_iterator(folder_ / "db")) {
      if (entry.path().extension() == ".log" && entry.file_size() > 0) return entry.path();
    }
    return {};
  }

  std::set<conf::MessageId> found_;
  std::set<std::string> named_;
};

// Small messages, several in each sector: nothing of the first ones' keys is left.
TEST_F(DestroyedSector, EveryLostMessageIsNamedAndNoOther) {
  constexpr conf::MessageId kMost = 100;
  open();
  for (conf::MessageId id = 1; id <= kMost; ++id) store(id);
  for (conf::MessageId id = 40; id <= 50; ++id) spool_->remove(id);  // finished
  spool_->flush();
  spool_.reset();
  const TemporaryFolder whole;
  fs::copy(folder_, whole, fs::copy_options::recursive);
  const size_t sectors = fs::file_size(log()) / kSector;
  ASSERT_GT(sectors, 10U);
  size_t lost = 0;
  for (size_t sector = 0; sector < sectors; ++sector) {
    fs::remove_all(folder_);
    fs::copy(whole, folder_, fs::copy_options::recursive);
    std::fstream file(log(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(sector * kSector))
        .write(std::string(kSector, '\0').data(), kSector);
    file.close();
    open();
    recover();
    for (conf::MessageId id = 1; id <= kMost; ++id) {
      if (id >= 40 && id <= 50) continue;
      const bool named = named_.contains(conf::to_text(id));
      EXPECT_NE(found_.contains(id), named) << id << " in sector " << sector;
      lost += named ? 1 : 0;
    }
    spool_.reset();
  }
  EXPECT_GT(lost, 50U);
}

TEST(RocksLatest, NamesWhatWasStoredWithinReach) {
  RocksLatest latest;
  EXPECT_TRUE(latest.empty());
  latest.written({1, 2, 4}, 1000);
  latest.written({3}, RocksLatest::kReach);
  latest.removed(4);
  struct Words final : rocksdb::WriteBatch::Handler {
    void LogData(const rocksdb::Slice& data) override { ids = latest_ids_in({data.data(), data.size()}); }
    std::vector<conf::MessageId> ids;
  } words;
  rocksdb::WriteBatch batch;
  latest.name_in(&batch);
  EXPECT_TRUE(batch.Iterate(&words).ok());
  EXPECT_EQ(words.ids, (std::vector<conf::MessageId>{1, 2, 3}));
  latest.written({}, 1);
  batch.Clear();
  latest.name_in(&batch);
  EXPECT_TRUE(batch.Iterate(&words).ok());
  EXPECT_EQ(words.ids, std::vector<conf::MessageId>{3});
  EXPECT_TRUE(latest_ids_in(std::string(100, '\0')).empty());
}

}  // namespace
}  // namespace relay::spool
