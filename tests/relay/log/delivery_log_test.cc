#include "relay/log/delivery_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "conf/disk_call.h"
#include "relay/log/log_file.h"
#include "tests/temporary_folder.h"

namespace relay::log {
namespace {

namespace fs = std::filesystem;

class DeliveryLogTest : public testing::Test {
 protected:
  DeliveryLogTest() { settings_.path = folder_ / "delivery.jsonl"; }

  std::unique_ptr<DeliveryLog> open() {
    auto log = DeliveryLog::open(settings_);
    EXPECT_TRUE(log.ok()) << (log.ok() ? "" : log.error().detail);
    return log.ok() ? std::move(log).value() : nullptr;
  }
  static conf::DeliveryEvent event(uint32_t number, size_t reply_bytes = 0) {
    conf::DeliveryEvent e;
    e.attempt = number;
    e.reply = std::string(reply_bytes, 'x');
    return e;
  }
  static bool wait_for(const std::function<bool()>& good) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!good()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  static std::vector<nlohmann::json> lines(const fs::path& path) {
    std::vector<nlohmann::json> all;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }

  TemporaryFolder folder_;
  conf::LogSettings settings_;
};

TEST_F(DeliveryLogTest, NumbersRiseAndLinesKeepTheirOrder) {
  auto log = open();
  std::atomic<uint64_t> seen{0};
  log->on_written([&] { seen = log->written_through(); });
  for (uint32_t i = 1; i <= 1000; ++i) EXPECT_EQ(log->append(event(i)), i);
  EXPECT_TRUE(wait_for([&] { return seen == 1000; }));
  const auto all = lines(settings_.path);
  ASSERT_EQ(all.size(), 1000u);
  for (uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(all[i].at("attempt"), i + 1);
  EXPECT_EQ(log->counters().events, 1000u);
  EXPECT_EQ(log->counters().bytes, fs::file_size(settings_.path));
}

TEST_F(DeliveryLogTest, WritesWhatIsLeftAtTheEnd) {
  auto log = open();
  for (uint32_t i = 1; i <= 5000; ++i) log->append(event(i));
  log.reset();
  EXPECT_EQ(lines(settings_.path).size(), 5000u);
}

TEST_F(DeliveryLogTest, AWriteThatHangsIsToldAndAgainWhenItGoesOn) {
  ASSERT_EQ(mkfifo(settings_.path.c_str(), 0600), 0);
  const int reader = ::open(settings_.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  LogFile file(settings_);
  ASSERT_TRUE(file.open().ok());
  testing::internal::CaptureStderr();
  {
    const conf::DiskWatcher watcher(std::chrono::milliseconds(300));
    std::thread writer([&file] {
      conf::Error why;
      file.append(std::string(200'000, 'x') + "\n", &why);
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(900));
    EXPECT_EQ(::fcntl(reader, F_SETFL, 0), 0);
    std::string part(1 << 16, '\0');
    for (size_t left = 200'001; left > 0;)
      left -= static_cast<size_t>(::read(reader, part.data(), part.size()));
    writer.join();
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("penstock: the disk does not answer: writing " + settings_.path), std::string::npos)
      << said;
  EXPECT_NE(said.find("penstock: the disk goes on: writing " + settings_.path), std::string::npos) << said;
  ::close(reader);
}

TEST_F(DeliveryLogTest, FileIsNotForEveryone) {
  auto log = open();
  struct stat status {};
  ASSERT_EQ(stat(settings_.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0007, 0u);
}

TEST_F(DeliveryLogTest, RotatesBySizeAndKeepsSoMany) {
  settings_.rotate_bytes = 2000;
  settings_.keep = 2;
  auto log = open();
  for (uint32_t i = 1; i <= 6; ++i) {
    log->append(event(i, 1500));
    ASSERT_TRUE(wait_for([&] { return log->written_through() == i; }));
  }
  EXPECT_EQ(log->counters().rotations, 5u);
  EXPECT_EQ(lines(settings_.path).at(0).at("attempt"), 6);
  EXPECT_EQ(lines(settings_.path + ".1").at(0).at("attempt"), 5);
  EXPECT_EQ(lines(settings_.path + ".2").at(0).at("attempt"), 4);
  EXPECT_FALSE(fs::exists(settings_.path + ".3"));
}

TEST_F(DeliveryLogTest, RotationThatFailsLetsTheFileGrow) {
  settings_.rotate_bytes = 2000;
  settings_.keep = 1;
  auto log = open();
  fs::create_directories(settings_.path + ".1/inside");  // a file cannot be renamed over it
  for (uint32_t i = 1; i <= 3; ++i) {
    log->append(event(i, 1500));
    ASSERT_TRUE(wait_for([&] { return log->written_through() == i; }));
  }
  EXPECT_EQ(lines(settings_.path).size(), 3u);
  EXPECT_EQ(log->counters().rotations, 0u);
}

TEST_F(DeliveryLogTest, RotationThatFailsOnTheWayWritesOverNothing) {
  settings_.rotate_bytes = 2000;
  settings_.keep = 3;
  auto log = open();
  fs::create_directories(settings_.path + ".3/inside");  // a file cannot be renamed over it
  for (uint32_t i = 1; i <= 5; ++i) {
    log->append(event(i, 1500));
    ASSERT_TRUE(wait_for([&] { return log->written_through() == i; }));
  }
  std::vector<int> there;
  for (const char* end : {".2", ".1", ""})
    for (const auto& line : lines(settings_.path + end)) there.push_back(line.at("attempt"));
  EXPECT_EQ(there, (std::vector<int>{1, 2, 3, 4, 5}));
}

TEST_F(DeliveryLogTest, ReopenFollowsLogrotate) {
  auto log = open();
  log->append(event(1));
  ASSERT_TRUE(wait_for([&] { return log->written_through() == 1; }));
  fs::rename(settings_.path, folder_ / "old");
  log->reopen();
  ASSERT_TRUE(wait_for([&] { return fs::exists(settings_.path); }));
  log->append(event(2));
  log.reset();
  EXPECT_EQ(lines(folder_ / "old").size(), 1u);
  EXPECT_EQ(lines(settings_.path).at(0).at("attempt"), 2);
}

TEST_F(DeliveryLogTest, TornLastLineOfACrashIsEnded) {
  std::ofstream(settings_.path) << "{\"attempt\":1}\n{\"atte";
  open()->append(event(2));
  std::ifstream in(settings_.path);
  std::string line;
  std::getline(in, line);
  std::getline(in, line);
  EXPECT_EQ(line, "{\"atte");
  std::getline(in, line);
  EXPECT_EQ(nlohmann::json::parse(line).at("attempt"), 2);
}

TEST_F(DeliveryLogTest, FullDiskWaitsThenLosesNothingWithinTheBuffer) {
  fs::create_symlink("/dev/full", settings_.path);
  auto log = open();
  for (uint32_t i = 1; i <= 100; ++i) log->append(event(i));
  ASSERT_TRUE(wait_for([&] { return log->counters().write_errors > 0; }));
  EXPECT_EQ(log->written_through(), 0u);
  fs::remove(settings_.path);
  log->reopen();
  ASSERT_TRUE(wait_for([&] { return log->written_through() == 100; }));
  const auto all = lines(settings_.path);
  ASSERT_EQ(all.size(), 100u);
  EXPECT_EQ(all.front().at("attempt"), 1);
  EXPECT_EQ(log->counters().lost, 0u);
}

// logrotate with copytruncate cuts the file under the relay; then the disk is full in the middle of a line.
TEST_F(DeliveryLogTest, ATornLineIsCutOffByTheFileAsItIs) {
  LogFile file(settings_);
  ASSERT_TRUE(file.open().ok());
  conf::Error why;
  ASSERT_EQ(file.append(std::string(299, 'a') + '\n', &why), 300u);
  ASSERT_EQ(::truncate(settings_.path.c_str(), 0), 0);
  const std::string line = std::string(999, 'b') + '\n';
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{2500, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const size_t written = file.append(line + line + line, &why);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(written, 2000u) << why.detail;
  EXPECT_EQ(fs::file_size(settings_.path), 2000u);
}

TEST_F(DeliveryLogTest, WhatBreaksForGoodIsOpenedAgain) {
  const auto old_handler = std::signal(SIGPIPE, SIG_IGN);
  ASSERT_EQ(::mkfifo(settings_.path.c_str(), 0600), 0);
  const int reader = ::open(settings_.path.c_str(), O_RDONLY | O_NONBLOCK);
  auto log = open();
  ASSERT_NE(log, nullptr);
  ::close(reader);
  log->append(event(1));
  ASSERT_TRUE(wait_for([&] { return log->counters().write_errors > 0; }));
  fs::remove(settings_.path);  // nobody says so
  EXPECT_TRUE(wait_for([&] { return log->written_through() == 1; }));
  log.reset();
  EXPECT_EQ(lines(settings_.path).at(0).at("attempt"), 1);
  std::signal(SIGPIPE, old_handler);
}

TEST_F(DeliveryLogTest, WhatCannotBeOpenedLeavesNothingBeside) {
  fs::create_directory(settings_.path);
  ASSERT_FALSE(DeliveryLog::open(settings_).ok());
  EXPECT_FALSE(fs::exists(settings_.path + ".waiting"));
}

TEST_F(DeliveryLogTest, PastTheBufferTheOldestAreLostAndItIsSaid) {
  fs::create_symlink("/dev/full", settings_.path);
  auto log = open();
  constexpr uint32_t kEvents = 80'000;
  for (uint32_t i = 1; i <= kEvents; ++i) log->append(event(i, 1000));
  const uint64_t lost = log->counters().lost;
  EXPECT_GT(lost, 10'000u);
  fs::remove(settings_.path);
  log->reopen();
  ASSERT_TRUE(wait_for([&] { return log->written_through() == kEvents; }));
  log.reset();
  std::ifstream in(settings_.path);
  std::vector<std::string> all;  // so many that reading each as JSON takes a minute under a sanitizer
  for (std::string line; std::getline(in, line);) all.push_back(std::move(line));
  ASSERT_EQ(all.size(), kEvents - lost + 1);
  EXPECT_EQ(nlohmann::json::parse(all.front()), (nlohmann::json{{"event", "log_gap"}, {"lost", lost}}));
  EXPECT_EQ(nlohmann::json::parse(all.at(1)).at("attempt"), lost + 1);
  EXPECT_EQ(nlohmann::json::parse(all.back()).at("attempt"), kEvents);
}

TEST_F(DeliveryLogTest, WhatAKillForgotWhileTheDiskWasFullIsAGapAfterTheStart) {
  const fs::path mark = settings_.path + ".waiting";
  fs::create_symlink("/dev/full", settings_.path);
  auto log = open();
  for (uint32_t i = 1; i <= 7; ++i) log->append(event(i));
  ASSERT_TRUE(wait_for([&] { return log->counters().write_errors > 1; }));
  fs::copy_file(mark, mark.string() + ".kept");  // the file as a kill leaves it
  fs::remove(settings_.path);
  log->reopen();
  ASSERT_TRUE(wait_for([&] { return log->written_through() == 7; }));
  log.reset();
  EXPECT_EQ(lines(settings_.path).size(), 7u);
  log = open();
  log->append(event(8));
  log.reset();
  EXPECT_EQ(lines(settings_.path).size(), 8u) << "nothing was missing";

  fs::rename(mark.string() + ".kept", mark);
  fs::remove(settings_.path);
  log = open();
  log->append(event(9));
  log.reset();
  const auto all = lines(settings_.path);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all.front(), (nlohmann::json{{"event", "log_gap"}, {"lost", 7}}));
  log = open();
  log->append(event(10));
  log.reset();
  EXPECT_EQ(lines(settings_.path).size(), 3u) << "it is said once";
}

TEST_F(DeliveryLogTest, MissingFolderIsSaidAtOpen) {
  settings_.path = (folder_ / "no/such/log").string();
  const auto log = DeliveryLog::open(settings_);
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.error().detail.find(settings_.path), std::string::npos);
  EXPECT_NE(log.error().detail.find("make the folder"), std::string::npos);
}

TEST_F(DeliveryLogTest, ANamedPipeThatNobodyReadsIsAnErrorAndHoldsUpNoStart) {
  ASSERT_EQ(::mkfifo(settings_.path.c_str(), 0600), 0);
  auto opened = std::async(std::launch::async, [this] { return DeliveryLog::open(settings_); });
  const bool answered = opened.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
  EXPECT_TRUE(answered);
  const int reader = ::open(settings_.path.c_str(), O_RDONLY | O_NONBLOCK);  // lets go of who waits
  const auto log = opened.get();
  ::close(reader);
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.error().detail.find("a named pipe that nobody reads"), std::string::npos)
      << log.error().detail;
}

TEST_F(DeliveryLogTest, ANamedPipeThatIsReadIsWrittenAsItIs) {
  ASSERT_EQ(::mkfifo(settings_.path.c_str(), 0600), 0);
  const int reader = ::open(settings_.path.c_str(), O_RDONLY | O_NONBLOCK);
  auto log = open();
  ASSERT_NE(log, nullptr);
  log->append(event(7));
  std::string text(4096, '\0');
  EXPECT_TRUE(wait_for([&] { return ::read(reader, text.data(), text.size()) > 0; }));
  EXPECT_NE(text.find("\"attempt\":7"), std::string::npos);
  log.reset();
  ::close(reader);
}

}  // namespace
}  // namespace relay::log
