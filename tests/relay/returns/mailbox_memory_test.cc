#include "relay/returns/mailbox_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/temporary_folder.h"

namespace relay::returns {
namespace {

namespace fs = std::filesystem;

const conf::WallTime kNow = conf::from_unix_micros(1'790'000'000'000'000);
constexpr const char* kMailbox = "pop3s://mail.example:995 bounces";

class MailboxMemoryTest : public testing::Test {
 protected:
  MailboxMemoryTest() { fs::create_directories(path + "/new"); }

  MailboxMemory open(const char* mailbox = kMailbox) {
    conf::Result<MailboxMemory> memory = MailboxMemory::open(path, mailbox);
    EXPECT_TRUE(memory.ok()) << memory.error().detail;
    return std::move(*memory);
  }
  static MailboxMemory::Staged stage(MailboxMemory* memory, const std::string& uid) {
    auto staged = memory->stage(uid, kNow);
    EXPECT_TRUE(staged.ok()) << staged.error().detail;
    EXPECT_TRUE(memory->write(*staged, "mail " + uid).ok());
    return *staged;
  }
  static size_t files_in(const std::string& folder) {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }
  // The folder of the only mailbox.
  std::string own() const { return fs::directory_iterator(path + "/mailboxes")->path().string(); }

  TemporaryFolder folder;
  const std::string path = folder;
};

TEST_F(MailboxMemoryTest, WhatIsHandedOverIsInTheMaildirAndRemembered) {
  {
    MailboxMemory memory = open();
    EXPECT_FALSE(memory.knows("a"));
    ASSERT_TRUE(memory.hand_over({stage(&memory, "a"), stage(&memory, "b")}, kNow).ok());
    EXPECT_EQ(files_in(path + "/new"), 2U);
    EXPECT_EQ(files_in(own() + "/stage"), 0U);
    ASSERT_TRUE(memory.leave("c", kNow).ok());
  }
  const MailboxMemory memory = open();
  EXPECT_TRUE(memory.knows("a"));
  EXPECT_TRUE(memory.knows("b"));
  EXPECT_FALSE(memory.was_left("a"));
  EXPECT_TRUE(memory.was_left("c"));
  EXPECT_FALSE(open("pop3s://mail.example:995 others").knows("a")) << "another mailbox, another memory";
}

TEST_F(MailboxMemoryTest, WhatCouldNotBeNotedInFullIsFetchedAgain) {
  {
    MailboxMemory memory = open();
    const std::vector<MailboxMemory::Staged> staged{stage(&memory, "a"), stage(&memory, "b")};
    // The note of the first mail fits, and that of the second does not.
    rlimit old{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1 + std::string("1790000000 d ").size() + staged[0].name.size() + 5, old.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const bool good = memory.hand_over(staged, kNow).ok();
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
    std::signal(SIGXFSZ, handler);
    EXPECT_FALSE(good);
  }
  const MailboxMemory memory = open();
  EXPECT_FALSE(memory.knows("a")) << "it would be deleted at the server, and is nowhere";
  EXPECT_FALSE(memory.knows("b"));
  EXPECT_EQ(files_in(path + "/new"), 0U);
}

TEST_F(MailboxMemoryTest, AMemoryThatCannotBeReadIsNoEmptyOne) {
  ASSERT_TRUE(open().leave("a", kNow).ok());
  fs::remove(own() + "/seen");
  fs::create_symlink("seen", own() + "/seen");  // a loop
  const conf::Result<MailboxMemory> memory = MailboxMemory::open(path, kMailbox);
  ASSERT_FALSE(memory.ok());
  EXPECT_NE(memory.error().detail.find("/seen"), std::string::npos) << memory.error().detail;
}

TEST_F(MailboxMemoryTest, WhatACrashLeftUnnotedIsFetchedAgain) {
  {
    MailboxMemory memory = open();
    stage(&memory, "a");  // written, and then the process ended
  }
  const MailboxMemory memory = open();
  EXPECT_FALSE(memory.knows("a"));
  EXPECT_EQ(files_in(own() + "/stage"), 0U);
  EXPECT_EQ(files_in(path + "/new"), 0U);
}

TEST_F(MailboxMemoryTest, WhatSomebodyPutBesideItsMailsStaysThere) {
  { const MailboxMemory memory = open(); }
  std::filesystem::create_directories(own() + "/stage/lost+found");
  std::ofstream(own() + "/stage/README") << "x";
  const MailboxMemory memory = open();
  EXPECT_TRUE(std::filesystem::exists(own() + "/stage/README"));
}

TEST_F(MailboxMemoryTest, WhatACrashLeftNotedIsHandedOverOnce) {
  {
    MailboxMemory memory = open();
    const MailboxMemory::Staged staged = stage(&memory, "a");
    std::ofstream(own() + "/seen", std::ios::app) << "\n1790000000 d " << staged.name << " a\n";
  }
  for (int starts = 0; starts < 2; ++starts) {
    const MailboxMemory memory = open();
    EXPECT_TRUE(memory.knows("a"));
    EXPECT_EQ(files_in(path + "/new"), 1U) << starts;
  }
}

TEST_F(MailboxMemoryTest, HalfALineCountsForNothing) {
  {
    MailboxMemory memory = open();
    const MailboxMemory::Staged staged = stage(&memory, "a");
    std::ofstream(own() + "/seen", std::ios::app) << "\n1790000000 d " << staged.name << " a";
  }
  MailboxMemory memory = open();
  EXPECT_FALSE(memory.knows("a"));
  ASSERT_TRUE(memory.hand_over({stage(&memory, "ab")}, kNow).ok());
  const MailboxMemory again = open();
  EXPECT_TRUE(again.knows("ab"));
  EXPECT_EQ(again.size(), 1U);
}

TEST_F(MailboxMemoryTest, WhatTheServerListsNoMoreIsForgottenADayLater) {
  MailboxMemory memory = open();
  ASSERT_TRUE(memory.hand_over({stage(&memory, "stays"), stage(&memory, "goes")}, kNow).ok());
  for (int hours = 1; hours < 30; hours += 2) {
    ASSERT_TRUE(memory.keep_only({"stays"}, kNow + std::chrono::hours(hours)).ok());
    EXPECT_EQ(memory.knows("goes"), hours <= 24) << hours;
    EXPECT_TRUE(memory.knows("stays"));
  }
  EXPECT_FALSE(open().knows("goes"));
  EXPECT_TRUE(open().knows("stays"));
}

}  // namespace
}  // namespace relay::returns
