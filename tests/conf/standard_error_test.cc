#include "conf/standard_error.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

namespace conf {
namespace {

// Standard error is a pipe that is read when the test says so.
class StandardErrorTest : public testing::Test {
 protected:
  StandardErrorTest() : kept_(::dup(STDERR_FILENO)) {
    EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
    EXPECT_GT(::fcntl(ends_[1], F_SETPIPE_SZ, 32768), 0);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  ~StandardErrorTest() override {
    restore();
    ::close(ends_[0]);
    ::close(kept_);
  }
  void restore() {
    if (!redirected_) return;
    redirected_ = false;
    ::dup2(kept_, STDERR_FILENO);
    ::close(ends_[1]);
  }
  std::string read_some() {
    std::string text(1 << 16, '\0');
    const ssize_t got = ::read(ends_[0], text.data(), text.size());
    text.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return text;
  }
  std::string read_until(const std::string& wanted) {
    std::string all;
    while (all.find(wanted) == std::string::npos) all += read_some();
    return all;
  }

  int ends_[2] = {-1, -1};
  int kept_;
  bool redirected_ = true;
};

TEST_F(StandardErrorTest, NobodyWaitsForAReaderWhoStandsStill) {
  const StandardErrorWriter writer;
  // More than any pipe holds: when the last of them is said, none has room.
  for (size_t i = 0; i < 100 * StandardErrorWriter::kMost; ++i) say("line " + std::to_string(i));
  const std::string early = read_until("line 900\n");
  EXPECT_EQ(early.substr(0, 33), "penstock: line 0\npenstock: line 1");
  const std::string missing = " lines are missing here: nobody read standard error\n";
  std::string late;
  for (int i = 0; i < 10000 && late.find(missing) == std::string::npos; ++i) {
    say("there is room again");
    late += read_some();
  }
  EXPECT_NE(late.find(missing), std::string::npos);
}

TEST_F(StandardErrorTest, WhatWaitsIsWrittenAtTheEnd) {
  {
    const StandardErrorWriter writer;
    for (int i = 0; i < 20; ++i) say("line " + std::to_string(i));
  }
  restore();
  EXPECT_NE(read_some().find("line 19\n"), std::string::npos);
}

TEST_F(StandardErrorTest, TheEndDoesNotWaitForAReaderWhoStandsStill) {
  auto writer = std::make_unique<StandardErrorWriter>();
  for (size_t i = 0; i < StandardErrorWriter::kMost; ++i) say("a line that fills the pipe, and more of it");
  writer.reset();  // else this test never ends
}

}  // namespace
}  // namespace conf
