#include "conf/read_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>

#include "conf/config_parser.h"
#include "tests/temporary_folder.h"

namespace conf {
namespace {

TEST(ReadFile, GivesTheWholeFile) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  const std::string text = std::string(200'000, 'x') + '\0' + "end";
  std::ofstream(path, std::ios::binary) << text;
  EXPECT_EQ(read_file(path).value(), text);
}

TEST(ReadFile, WhatAServiceReadsIsAFileAndNoPipeOrDevice) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::ofstream(folder / "file") << "text";
  EXPECT_EQ(read_regular_file(folder / "file").value(), "text");
  for (const std::string& path : {(folder / "pipe").string(), std::string("/dev/zero")}) {
    const Result<std::string> got = read_regular_file(path);
    ASSERT_FALSE(got.ok()) << path;
    EXPECT_EQ(got.error().detail, "it is no regular file");
  }
}

TEST(ReadFile, WithoutADescriptorItSaysWhatToRaise) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = dup(0);
  ASSERT_GE(next, 0);
  close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Result<std::string> text = read_regular_file("/etc/passwd");
  const ParsedConfig config = load_config("/etc/passwd");
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().detail.rfind("Too many open files; ", 0), 0U) << text.error().detail;
  EXPECT_NE(text.error().detail.find("LimitNOFILE"), std::string::npos);
  ASSERT_EQ(config.problems.size(), 1U);
  EXPECT_EQ(config.problems[0].message, "cannot read the file: " + text.error().detail);
}

TEST(ReadFile, AFolderIsAnErrorAndNoException) {
  const Result<std::string> folder = read_file("/tmp");
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(folder.error().code, ErrorCode::kIo);
  EXPECT_EQ(folder.error().detail, "Is a directory");
  const Result<std::string> nothing = read_file("/nonexistent/file");
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().code, ErrorCode::kNotFound);
  const ParsedConfig config = load_config("/tmp");
  ASSERT_EQ(config.problems.size(), 1U);
  EXPECT_EQ(config.problems.front().message, "cannot read the file: Is a directory");
}

}  // namespace
}  // namespace conf
