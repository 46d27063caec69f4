#include "relay/spool/damaged_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"

namespace relay::spool {
namespace {

constexpr size_t kBlock = 4096;

// A disk of which some blocks cannot be read: a read that touches one fails whole.
class BadDisk {
 public:
  BadDisk(std::string content, std::set<size_t> bad) : content_(std::move(content)), bad_(std::move(bad)) {}

  ssize_t read(char* to, size_t octets, off_t at) {
    const size_t begin = static_cast<size_t>(at);
    const size_t end = std::min(begin + octets, content_.size());
    for (const size_t block : bad_) {
      if (begin < (block + 1) * kBlock && end > block * kBlock) {
        errno = EIO;
        return -1;
      }
    }
    ++reads_;
    content_.copy(to, end - begin, begin);
    return static_cast<ssize_t>(end - begin);
  }
  std::string salvaged(size_t size) {
    return read_around_damage([this](char* to, size_t octets, off_t at) { return read(to, octets, at); },
                              size);
  }
  size_t reads() const { return reads_; }

 private:
  const std::string content_;
  const std::set<size_t> bad_;
  size_t reads_ = 0;
};

TEST(DamagedFiles, ABlockThatTheDiskCannotReadIsZerosAndTheRestIsThere) {
  const size_t size = (size_t{3} << 20) + 1000;
  const std::string whole(size, 'x');
  const size_t last = size / kBlock;
  for (const std::set<size_t>& bad :
       std::vector<std::set<size_t>>{{}, {0}, {7, 8}, {255}, {256}, {300, 600}, {last}}) {
    std::string wanted = whole;
    for (const size_t block : bad) {
      const size_t end = std::min(size, (block + 1) * kBlock);
      wanted.replace(block * kBlock, end - block * kBlock, end - block * kBlock, '\0');
    }
    EXPECT_EQ(BadDisk(whole, bad).salvaged(size), wanted) << bad.size() << " bad blocks";
  }
  BadDisk good(whole, {});
  good.salvaged(size);
  EXPECT_EQ(good.reads(), 4U) << "a good disk is read in large pieces";
}

TEST(DamagedFiles, AFileThatBecameShorterEndsWhereItEnds) {
  EXPECT_EQ(BadDisk("abc", {}).salvaged(10), "abc");
}

TEST(DamagedFiles, WhatCannotBeOpenedIsAnErrorAndNotAnEmptyFile) {
  const auto content = read_damaged_file("/nonexistent/000001.log");
  ASSERT_FALSE(content.ok());
  EXPECT_NE(content.error().detail.find("/nonexistent/000001.log"), std::string::npos);
}

TEST(DamagedFiles, StandInTheOrderOfTheirNumbers) {
  const TemporaryFolder folder;
  for (const char* name :
       {"999999.log", "1000000.log", "000012.log", "000013.sst", "12a.log", ".log", "LOCK"})
    std::ofstream(folder / name) << "x";
  std::vector<std::string> names;
  for (const auto& [number, file] : numbered_files(folder, "", ".log")) names.push_back(file.filename());
  EXPECT_EQ(names, (std::vector<std::string>{"000012.log", "999999.log", "1000000.log"}));
}

}  // namespace
}  // namespace relay::spool
