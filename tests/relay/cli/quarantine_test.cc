// Addresses that get no mail, from the command line.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <thread>

#include "bounce/ledger/sqlite_desk.h"
#include "tests/relay/cli/command_rig.h"
#include "tests/temporary_folder.h"

namespace relay::cli {
namespace {

class QuarantineCommandTest : public testing::Test {
 protected:
  Outcome quarantine(std::vector<std::string> words) {
    words.insert(words.begin(), {"quarantine", "-c", "/nonexistent", "--ledger", folder_ / "ledger.db"});
    return command(std::move(words));
  }
  TemporaryFolder folder_;
};

TEST_F(QuarantineCommandTest, AWaveThatIsNotThereIsNamed) {
  ASSERT_EQ(quarantine({"add", "ann@x.example"}).exit_code, 0);
  for (const char* word : {"--confirm", "--release"}) {
    const Outcome outcome = quarantine({"waves", word, "77"});
    EXPECT_EQ(outcome.exit_code, 1) << outcome.out;
    EXPECT_NE(outcome.err.find("there is no wave 77"), std::string::npos) << outcome.err;
  }
}

TEST_F(QuarantineCommandTest, RemoveFollowsWhatShowAdvises) {
  ASSERT_EQ(quarantine({"add", "ann@x.example", "--list", "shop.example"}).exit_code, 0);
  EXPECT_NE(quarantine({"show", "ann@x.example"}).out.find("penstock quarantine remove ann@x.example"),
            std::string::npos);
  ASSERT_EQ(quarantine({"remove", "ann@x.example"}).exit_code, 0);
  EXPECT_NE(quarantine({"show", "ann@x.example"}).out.find("is in no list: mail goes"), std::string::npos);
}

// Another program writes the list as it finds it; meanwhile the relay has decisions of its own.
TEST_F(QuarantineCommandTest, AListThatComesSlowlyLocksNobodyOut) {
  ASSERT_EQ(quarantine({"add", "ann@x.example"}).exit_code, 0);
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  bool wrote = false;
  std::thread other([&] {
    std::ofstream list(pipe);
    list << "late@x.example\n" << std::flush;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    auto ledger = bounce::SqliteLedger::open_as_it_is(folder_ / "ledger.db");
    bounce::LedgerDesk desk(ledger->get(), {}, "ann", conf::SystemClock().wall());
    wrote = desk.set({"bob@x.example"}, "", bounce::AddressStatus::kQuarantine, 0, "").ok();
  });
  const Outcome outcome = quarantine({"import", pipe});
  other.join();
  EXPECT_TRUE(wrote) << "the ledger was locked";
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(quarantine({"list"}).out.find("late@x.example"), std::string::npos);
}

}  // namespace
}  // namespace relay::cli
