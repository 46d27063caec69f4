// What a wrong bit in a file of the database does: the start goes on, and nothing is lost without a word.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/relay/spool/rocks_damage_rig.h"

namespace relay::spool {
namespace {

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

// RocksDB opens a spool without it, and its messages would be tried for ever: read, not found, tried again.
TEST_F(DamagedSpool, AFileOfBodiesThatIsGoneIsMendedAsOneThatIsEmpty) {
  for (conf::MessageId id = 1; id <= 20; ++id) store(id);
  write_out();
  for (conf::MessageId id = 21; id <= 25; ++id) store(id);
  spool_.reset();
  const std::filesystem::path bodies = file_of(".blob");
  std::filesystem::remove(bodies);
  open();
  recover();
  for (conf::MessageId id = 1; id <= 25; ++id) {
    if (found_.count(id) == 0) {
      EXPECT_EQ(aside_.count(conf::to_text(id)), 1U) << id << " is missing and not named";
      continue;
    }
    auto loaded = load(id);
    if (loaded.ok())
      EXPECT_EQ(loaded->body.view(), body_of(id));
    else
      EXPECT_EQ(loaded.error().code, conf::ErrorCode::kCorrupt) << id << " would be tried for ever";
  }
  EXPECT_TRUE(found_.count(25) == 1 && load(25).ok());
}

}  // namespace
}  // namespace relay::spool
