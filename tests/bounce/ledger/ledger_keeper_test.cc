#include "bounce/ledger/ledger_keeper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "bounce/ledger/sqlite_desk.h"
#include "bounce/ledger/sqlite_report.h"
#include "tests/temporary_folder.h"

namespace bounce {
namespace {

using namespace std::chrono_literals;

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() {
    options_.path = folder_ / "ledger.db";
    options_.guard.known_addresses = 10'000;
    options_.clock = &clock_;
    options_.wake = [this] { ++wakes_; };
    options_.say = [this](const std::string& line) { said_ += line + "\n"; };
  }
  ~KeeperTest() override {
    keeper_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    keeper_.reset();
    auto keeper = LedgerKeeper::open(options_);
    ASSERT_TRUE(keeper.ok()) << keeper.error().detail;
    keeper_ = std::move(*keeper);
  }
  // Until the thread has written and told what was given so far.
  template <typename Done>
  bool wait(Done done) {
    for (int i = 0; i < 600; ++i) {
      keeper_->step();
      if (done()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
  AddressOutcome outcome(const std::string& address) {
    mailbox_ = conf::Mailbox::parse(address).value();
    AddressOutcome one;
    one.message = ++message_;
    one.attempt = 1;
    one.recipient = &mailbox_;
    one.sender_domain = "shop.example";
    one.user = "shop";
    one.site = "mx.x.example";
    one.mx_host = "mx.x.example";
    one.source = "s1";
    one.text = "550 5.1.1 <ann@x.example> unknown";
    one.now = clock_.wall();
    return one;
  }
  static Qualification meaning(ErrorType type, Scope scope = Scope::kRecipient) {
    Qualification found;
    found.type = type;
    found.scope = scope;
    found.reason = type == ErrorType::kHard ? Reason::kUserUnknown : Reason::kUnreachable;
    found.rule = "test";
    return found;
  }
  AddressStatus status(const std::string& address, const std::string& domain = "shop.example",
                       const std::string& user = "shop") {
    return keeper_->standing(conf::Mailbox::parse(address).value(), domain, user).status;
  }

  TemporaryFolder folder_;
  std::string said_;
  conf::SystemClock clock_;
  LedgerKeeper::Options options_;
  std::unique_ptr<LedgerKeeper> keeper_;
  conf::Mailbox mailbox_;
  uint64_t message_ = 0;
  std::atomic<int> wakes_{0};
};

TEST_F(KeeperTest, AHardErrorBarsTheAddressAndARestartKeepsIt) {
  open();
  EXPECT_FALSE(keeper_->refused(outcome("Ann@x.example"), meaning(ErrorType::kHard)));
  EXPECT_FALSE(keeper_->refused(outcome("bob@x.example"), meaning(ErrorType::kHard, Scope::kSender)));
  EXPECT_FALSE(keeper_->refused(outcome("cy@x.example"), meaning(ErrorType::kSoft)));
  ASSERT_TRUE(wait([&] { return status("ann@X.example") == AddressStatus::kQuarantine; }));
  EXPECT_EQ(status("bob@x.example"), AddressStatus::kUnknown);
  ASSERT_TRUE(wait([&] { return status("cy@x.example") == AddressStatus::kWithErrors; }));
  keeper_->delivered(outcome("cy@x.example"));
  ASSERT_TRUE(wait([&] { return status("cy@x.example") == AddressStatus::kUnknown; }));
  keeper_->complained(outcome("dee@x.example"), Reason::kRefused);
  open();  // what was waiting is written on the way down
  EXPECT_EQ(status("ann@x.example"), AddressStatus::kQuarantine);
  EXPECT_EQ(status("dee@x.example"), AddressStatus::kDenylisted);
}

TEST_F(KeeperTest, ATextThatNobodyReadCountsByTheKeyOnly) {
  options_.settings.count_unqualified = false;
  open();
  Qualification guessed = meaning(ErrorType::kSoft);
  guessed.unread = true;
  keeper_->refused(outcome("ann@x.example"), guessed);
  keeper_->refused(outcome("bob@x.example"), meaning(ErrorType::kSoft));
  ASSERT_TRUE(wait([&] { return status("bob@x.example") == AddressStatus::kWithErrors; }));
  EXPECT_EQ(status("ann@x.example"), AddressStatus::kUnknown);
}

TEST_F(KeeperTest, WhatIsToldAgainAfterACrashIsAppliedOnce) {
  options_.settings.max_errors = 2;
  open();
  AddressOutcome lost = outcome("ann@x.example");
  keeper_->retold(lost, meaning(ErrorType::kHard));  // it never reached the file
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kQuarantine; }));
  auto ledger = SqliteLedger::open_as_it_is(options_.path);
  ASSERT_TRUE(ledger.ok());
  LedgerDesk desk(ledger->get(), {}, "ann", clock_.wall());
  ASSERT_TRUE(desk.release({}).ok());
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kUnknown; }));
  keeper_->retold(lost, meaning(ErrorType::kHard));  // the next restart tells it again
  keeper_->retold(outcome("bob@x.example"), meaning(ErrorType::kHard));
  ASSERT_TRUE(wait([&] { return status("bob@x.example") == AddressStatus::kQuarantine; }));
  EXPECT_EQ(status("ann@x.example"), AddressStatus::kUnknown) << "an operator has released it since";
}

TEST_F(KeeperTest, TheSameTryMayBeSoftAndThenHard) {
  open();
  AddressOutcome one = outcome("ann@x.example");
  keeper_->refused(one, meaning(ErrorType::kSoft));
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kWithErrors; }));
  keeper_->refused(one, meaning(ErrorType::kHard));
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kQuarantine; }));
}

TEST_F(KeeperTest, ASoftErrorOfTheNextDayCountsWhateverTheNumberOfItsTry) {
  open();
  AddressOutcome one = outcome("ann@x.example");
  for (const conf::Duration age : {50h, 49h, 25h, 0h}) {
    one.now = clock_.wall() - age;
    keeper_->refused(one, meaning(ErrorType::kSoft));
  }
  ASSERT_TRUE(wait([&] { return keeper_->counts().waiting == 0; }));
  auto ledger = SqliteLedger::open_as_it_is(options_.path);
  ASSERT_TRUE(ledger.ok());
  EXPECT_EQ(ledger.value()->read("", "ann@x.example")->state.errors, 3U);
}

TEST_F(KeeperTest, KnowsTheReasonAndTellsOfWhatItDecidedItself) {
  std::vector<std::string> moved;
  options_.moved = [&moved](const StatusChange& change) { moved.push_back(change.address); };
  open();
  const AddressOutcome one = outcome("ann@x.example");
  keeper_->refused(one, meaning(ErrorType::kHard));
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kQuarantine; }));
  EXPECT_EQ(keeper_->standing(conf::Mailbox::parse("ann@x.example").value(), "", "").reason,
            static_cast<uint8_t>(Reason::kUserUnknown));
  auto ledger = SqliteLedger::open_as_it_is(options_.path);
  ASSERT_TRUE(ledger.ok());
  LedgerDesk desk(ledger->get(), {}, "ann", clock_.wall());
  EXPECT_EQ(ledger.value()->read("", "ann@x.example")->message, one.message);
  ASSERT_TRUE(desk.set({"bob@x.example"}, "", AddressStatus::kQuarantine, 0, "").ok());
  ASSERT_TRUE(wait([&] { return status("bob@x.example") == AddressStatus::kQuarantine; }));
  EXPECT_EQ(moved, std::vector<std::string>{"ann@x.example"}) << "what an operator does is no event";
}

TEST_F(KeeperTest, ListsOfTenantsHoldForThemAlone) {
  options_.settings.lists = conf::QuarantineLists::kSenderDomain;
  open();
  keeper_->refused(outcome("ann@x.example"), meaning(ErrorType::kHard));
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kQuarantine; }));
  EXPECT_EQ(status("ann@x.example", "other.example"), AddressStatus::kUnknown);
}

TEST_F(KeeperTest, SeesWhatAnotherProcessChanges) {
  open();
  keeper_->refused(outcome("ann@x.example"), meaning(ErrorType::kHard));
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kQuarantine; }));
  std::string warning;
  auto ledger = SqliteLedger::open(options_.path, clock_.wall(), &warning);
  ASSERT_TRUE(ledger.ok());
  LedgerDesk desk(ledger->get(), {}, "ann", clock_.wall());
  const auto done = desk.release({});
  ASSERT_TRUE(done.ok());
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kUnknown; }));
  ASSERT_TRUE(desk.undo(1).ok());
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kQuarantine; }));
  ASSERT_TRUE(desk.set({"ann@x.example"}, "shop", AddressStatus::kAllowlisted, 0, "").ok());
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kAllowlisted; }));
  EXPECT_EQ(status("ann@x.example", "shop.example", "other"), AddressStatus::kQuarantine);
}

TEST_F(KeeperTest, ALargeImportComesInSteps) {
  open();
  auto ledger = SqliteLedger::open_as_it_is(options_.path);
  ASSERT_TRUE(ledger.ok());
  LedgerDesk desk(ledger->get(), {}, "ann", clock_.wall());
  std::string all;
  for (int i = 0; i < 20'000; ++i) all += "u" + std::to_string(i) + "@x.example\n";
  ASSERT_TRUE(desk.import([&all] { return std::exchange(all, {}); }, AddressStatus::kQuarantine, "").ok());
  const int before = wakes_;
  while (wakes_ == before) std::this_thread::sleep_for(10ms);
  uint64_t known = keeper_->counts().rows, most = 0;
  ASSERT_TRUE(wait([&] {
    most = std::max(most, keeper_->counts().rows - known);
    known = keeper_->counts().rows;
    return known == 20'000;
  }));
  EXPECT_LE(most, 5000U);
  EXPECT_GE(wakes_ - before, 4) << "it asks for the next step by itself";
}

TEST_F(KeeperTest, AWaveMovesNobodyAndWaitsForADecision) {
  open();
  for (int i = 0; i < 300; ++i) keeper_->delivered(outcome("u" + std::to_string(i) + "@x.example"));
  int held = 0;
  for (int i = 0; i < 60; ++i) {
    held +=
        keeper_->refused(outcome("u" + std::to_string(i) + "@x.example"), meaning(ErrorType::kHard)) ? 1 : 0;
  }
  EXPECT_GE(held, 50);
  EXPECT_NE(said_.find("wave 1 at mx.x.example"), std::string::npos) << said_;
  ASSERT_TRUE(wait([&] { return keeper_->counts().waiting == 0; }));
  ASSERT_TRUE(wait([&] { return status("u0@x.example") == AddressStatus::kUnknown; }));
  open();
  EXPECT_EQ(keeper_->counts().open_waves, 1U);
  EXPECT_EQ(keeper_->counts().rows, 0U);
  std::string warning;
  auto ledger = SqliteLedger::open(options_.path, clock_.wall(), &warning);
  LedgerDesk desk(ledger->get(), {}, "ann", clock_.wall());
  EXPECT_GE(desk.held(1, 1000).value().size(), 55U);
  ASSERT_TRUE(desk.decide(1, false).ok());
  ASSERT_TRUE(wait([&] { return keeper_->counts().open_waves == 0; }));
  ASSERT_TRUE(wait([&] { return status("u30@x.example") == AddressStatus::kQuarantine; }));
  EXPECT_FALSE(keeper_->refused(outcome("u200@x.example"), meaning(ErrorType::kHard)));  // believed now
}

TEST_F(KeeperTest, AConfirmedWaveThatIsTakenBackGoesOn) {
  open();
  const auto name = [](int i) { return "u" + std::to_string(i) + "@x.example"; };
  for (int i = 0; i < 300; ++i) keeper_->delivered(outcome(name(i)));
  for (int i = 0; i < 60; ++i) keeper_->refused(outcome(name(i)), meaning(ErrorType::kHard));
  ASSERT_TRUE(wait([&] { return keeper_->counts().waiting == 0; }));
  auto ledger = SqliteLedger::open_as_it_is(options_.path);
  ASSERT_TRUE(ledger.ok());
  LedgerDesk desk(ledger->get(), {}, "ann", clock_.wall());
  auto confirmed = desk.decide(1, false);
  ASSERT_TRUE(confirmed.ok());
  ASSERT_TRUE(wait([&] { return keeper_->counts().open_waves == 0; }));
  EXPECT_FALSE(keeper_->refused(outcome(name(70)), meaning(ErrorType::kHard)));  // believed
  ASSERT_TRUE(wait([&] { return status(name(70)) == AddressStatus::kQuarantine; }));
  ASSERT_TRUE(desk.undo(confirmed->batch).ok());
  ASSERT_TRUE(wait([&] { return keeper_->counts().open_waves == 1; }));
  ASSERT_TRUE(wait([&] { return status(name(30)) == AddressStatus::kUnknown; }));
  ASSERT_TRUE(
      wait([&] { return status(name(70)) == AddressStatus::kUnknown; }));  // and what followed from it
  for (int i = 100; i < 300; ++i)
    EXPECT_TRUE(keeper_->refused(outcome(name(i)), meaning(ErrorType::kHard))) << i;
  keeper_->delivered(outcome(name(31)));  // held again, and let off
  ASSERT_TRUE(wait([&] { return keeper_->counts().waiting == 0; }));
  EXPECT_EQ(status(name(200)), AddressStatus::kUnknown);
  auto held = desk.held(1, 1000);
  ASSERT_TRUE(held.ok());
  EXPECT_TRUE(std::ranges::any_of(*held, [&](const HeldError& each) { return each.address == name(200); }));
  EXPECT_TRUE(std::ranges::none_of(*held, [&](const HeldError& each) { return each.address == name(31); }));
  EXPECT_GE(desk.decide(1, true)->left, 250U);
}

// It was out of order, and then it took their mail: only who is still refused is dead.
TEST_F(KeeperTest, WhoTookMailAfterAllIsHeldByNoWave) {
  open();
  const auto name = [](int i) { return "u" + std::to_string(i) + "@x.example"; };
  for (int i = 0; i < 300; ++i) keeper_->delivered(outcome(name(i)));
  for (int i = 0; i < 40; ++i) keeper_->refused(outcome(name(i)), meaning(ErrorType::kHard));
  ASSERT_EQ(keeper_->counts().open_waves, 1U);
  keeper_->delivered(outcome(name(2)));  // in one batch with the wave
  keeper_->delivered(outcome(name(22)));
  ASSERT_TRUE(wait([&] { return keeper_->counts().waiting == 0; }));
  keeper_->delivered(outcome(name(0)));  // moved before the wave was seen, and put back
  keeper_->delivered(outcome(name(20)));
  open();
  keeper_->delivered(outcome(name(30)));
  ASSERT_TRUE(wait([&] { return keeper_->counts().waiting == 0; }));
  auto ledger = SqliteLedger::open_as_it_is(options_.path);
  ASSERT_TRUE(ledger.ok());
  LedgerDesk desk(ledger->get(), {}, "ann", clock_.wall());
  ASSERT_TRUE(desk.decide(1, false).ok());
  ASSERT_TRUE(wait([&] { return status(name(21)) == AddressStatus::kQuarantine; }));
  for (const int taken : {0, 2, 20, 22, 30}) EXPECT_EQ(status(name(taken)), AddressStatus::kUnknown) << taken;
  EXPECT_EQ(status(name(1)), AddressStatus::kQuarantine);
}

// An old list to a receiver that takes all mail and bounces what it does not know.
TEST_F(KeeperTest, LateBouncesOfNewAddressesAreNoWave) {
  open();
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) names.push_back("u" + std::to_string(i) + "@x.example");
  for (const std::string& name : names) keeper_->delivered(outcome(name));
  for (int i = 0; i < 100; ++i) {
    AddressOutcome late = outcome(names[static_cast<size_t>(i)]);
    late.late = true;
    EXPECT_FALSE(keeper_->refused(late, meaning(ErrorType::kHard))) << i;
  }
  EXPECT_EQ(keeper_->counts().open_waves, 0U);
  ASSERT_TRUE(wait([&] { return status("u99@x.example") == AddressStatus::kQuarantine; }));
}

TEST_F(KeeperTest, LateBouncesOfAddressesThatTookMailLongAgoAreAWave) {
  open();
  const auto name = [](int i) { return "u" + std::to_string(i) + "@x.example"; };
  for (const conf::Duration age : {2400h, 0h}) {
    for (int i = 0; i < 300; ++i) {
      AddressOutcome took = outcome(name(i));
      took.now -= age;
      keeper_->delivered(took);
    }
  }
  int held = 0;
  for (int i = 0; i < 60; ++i) {
    AddressOutcome late = outcome(name(i));
    late.late = true;
    held += keeper_->refused(late, meaning(ErrorType::kHard)) ? 1 : 0;
  }
  EXPECT_GE(held, 50);
}

TEST_F(KeeperTest, WhoIsAllowedForEverybodyComesIntoNoListOfATenant) {
  options_.settings.lists = conf::QuarantineLists::kSenderDomain;
  open();
  auto ledger = SqliteLedger::open_as_it_is(options_.path);
  ASSERT_TRUE(ledger.ok());
  LedgerDesk desk(ledger->get(), {}, "ann", clock_.wall());
  ASSERT_TRUE(desk.set({"vip@x.example"}, "", AddressStatus::kAllowlisted, 0, "").ok());
  ASSERT_TRUE(wait([&] { return status("vip@x.example") == AddressStatus::kAllowlisted; }));
  keeper_->refused(outcome("vip@x.example"), meaning(ErrorType::kHard));
  keeper_->refused(outcome("bob@x.example"), meaning(ErrorType::kHard));
  ASSERT_TRUE(wait([&] { return status("bob@x.example") == AddressStatus::kQuarantine; }));
  EXPECT_EQ(status("vip@x.example"), AddressStatus::kAllowlisted);
  EXPECT_EQ(ledger.value()->read("", "vip@x.example")->state.reason, kReasonErrorIgnored);
}

// Another process has the file, or the disk is full, for a moment of the last batch.
TEST_F(KeeperTest, WhatWaitsAtTheEndIsWrittenWhenTheFileCanBeWritten) {
  open();
  auto ledger = SqliteLedger::open_as_it_is(options_.path);
  ASSERT_TRUE(ledger.ok());
  (*ledger)->database()->execute(
      "CREATE TRIGGER closed BEFORE INSERT ON history BEGIN SELECT RAISE(ABORT, 'not now'); END");
  keeper_->complained(outcome("ann@x.example"), Reason::kRefused);
  std::thread opens([&] {
    std::this_thread::sleep_for(600ms);
    (*ledger)->database()->execute("DROP TRIGGER closed");
  });
  open();
  opens.join();
  EXPECT_EQ(status("ann@x.example"), AddressStatus::kDenylisted) << said_;
}

TEST_F(KeeperTest, DamageWhileRunningIsSetAsideAndMailGoesOn) {
  open();
  keeper_->refused(outcome("ann@x.example"), meaning(ErrorType::kHard));
  ASSERT_TRUE(wait([&] { return status("ann@x.example") == AddressStatus::kQuarantine; }));
  keeper_.reset();  // closes: the log is folded into the file
  {
    const auto size = std::filesystem::file_size(options_.path);
    FILE* file = std::fopen(options_.path.c_str(), "r+b");
    std::fseek(file, 8192, SEEK_SET);
    const std::string noise(static_cast<size_t>(size) - 8192, 'x');
    std::fwrite(noise.data(), 1, noise.size(), file);
    std::fclose(file);
  }
  open();
  keeper_->refused(outcome("bob@x.example"), meaning(ErrorType::kHard));
  EXPECT_TRUE(wait([&] { return status("bob@x.example") == AddressStatus::kQuarantine; })) << said_;
  EXPECT_NE(said_.find("the damaged ledger is kept as"), std::string::npos) << said_;
}

TEST_F(KeeperTest, CountsForReports) {
  open();
  const Qualification hard = meaning(ErrorType::kHard);
  for (int i = 0; i < 5; ++i) {
    AddressOutcome one = outcome("ann@x.example");
    const std::string text =
        "550 5.1.1 <u" + std::to_string(i) + "@x.example> unknown, id 4711" + std::to_string(i);
    one.text = text;
    keeper_->count(Outcome::kFailed, one, &hard);
  }
  keeper_->count(Outcome::kDelivered, outcome("bob@x.example"), nullptr);
  keeper_.reset();
  std::string warning;
  auto ledger = SqliteLedger::open(options_.path, clock_.wall(), &warning);
  ReportRange range;
  range.since = clock_.wall() - 1h;
  range.until = clock_.wall();
  auto report = make_report((*ledger)->database(), ReportBy::kSenderDomain, range, 10);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->total.failed, 5U);
  EXPECT_EQ(report->total.delivered, 1U);
  ASSERT_EQ(report->texts.size(), 1U);
  EXPECT_EQ(report->texts[0].text, "550 5.1.1 * unknown, id #ID#");
}

}  // namespace
}  // namespace bounce
