// A spool on disk of which the test changes files and values behind its back.
#pragma once

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/spool/record.h"
#include "tests/relay/spool/disk_rig.h"

namespace relay::spool {

class DamagedSpool : public SpoolOnDisk {
 protected:
  void SetUp() override { open(); }
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
    if (std::filesystem::is_empty(backup_))
      std::filesystem::copy(folder_, backup_, std::filesystem::copy_options::recursive);
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

  TemporaryFolder backup_;
  std::map<conf::MessageId, MessageRecord> found_;
  std::map<std::string, std::string> aside_;
};

}  // namespace relay::spool
