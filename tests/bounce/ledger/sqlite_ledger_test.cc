#include "bounce/ledger/sqlite_ledger.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "bounce/ledger/memory_ledger.h"
#include "bounce/reason.h"
#include "conf/vocab/random.h"
#include "tests/bounce/ledger/ledger_rig.h"

namespace bounce {
namespace {

using namespace std::chrono_literals;
using conf::Duration;
using conf::WallTime;

namespace fs = std::filesystem;

using LedgerTest = LedgerRig;

TEST(LedgerPathTest, StandsBesideTheSpool) {
  EXPECT_EQ(ledger_path({}, "/var/lib/penstock/spool"), "/var/lib/penstock/ledger/ledger.db");
  conf::QuarantineSettings settings;
  settings.path = "/srv/l.db";
  EXPECT_EQ(ledger_path(settings, "/var/lib/penstock/spool"), "/srv/l.db");
}

TEST_F(LedgerTest, KeepsDecisionsOverARestart) {
  apply(open().get(),
        {error("a@x.example", ErrorType::kHard, kBegin), error("b@x.example", ErrorType::kSoft, kBegin)});
  const auto ledger = open();
  EXPECT_EQ(status_of(ledger.get(), "a@x.example"), AddressStatus::kQuarantine);
  EXPECT_EQ(status_of(ledger.get(), "b@x.example"), AddressStatus::kWithErrors);
  const auto row = ledger->find("", "a@x.example");
  EXPECT_EQ(row.value()->text, "550 5.1.1 no such user");
  EXPECT_EQ(row.value()->rule, "user-unknown");
  std::map<std::string, AddressStatus> all;
  const auto last = ledger->each([&all](const StatusChange& one) { all[one.address] = one.status; });
  EXPECT_EQ(all.size(), 2U);
  EXPECT_TRUE(ledger->changes(last.value(), 100).value().empty());
}

TEST_F(LedgerTest, AppliesAnEventThatIsToldAgainOnce) {
  const auto ledger = open();
  apply(ledger.get(), {error("a@x.example", ErrorType::kSoft, kBegin, 7)});
  apply(ledger.get(), {error("a@x.example", ErrorType::kSoft, kBegin + 25h, 7)});
  EXPECT_EQ(ledger->find("", "a@x.example").value()->state.errors, 1U);
  apply(ledger.get(), {error("a@x.example", ErrorType::kSoft, kBegin + 25h, 8)});
  EXPECT_EQ(ledger->find("", "a@x.example").value()->state.errors, 2U);
}

TEST_F(LedgerTest, TextOfTheOutsideIsNeverSql) {
  const auto ledger = open();
  const std::string evil = "\"x'); DROP TABLE address; --\"@x.example";
  AddressSignal signal = error(evil, ErrorType::kHard, kBegin);
  signal.text = "550 ' OR 1=1; DELETE FROM history; --";
  signal.rule = "'; ATTACH 'x' AS y; --";
  signal.list = "' UNION SELECT * FROM meta --";
  apply(ledger.get(), {signal, error("b@x.example", ErrorType::kHard, kBegin)});
  EXPECT_EQ(ledger->find(signal.list, evil).value()->text, signal.text);
  LedgerDesk desk(ledger.get(), kSettings, "'; DROP TABLE batch; --", kBegin + 1h);
  AddressFilter filter;
  filter.text = "' OR '1'='1";
  EXPECT_EQ(desk.count(filter).value(), 0U);
  filter.text = "or 1=1; delete";
  EXPECT_EQ(desk.count(filter).value(), 1U);
  filter = AddressFilter();
  filter.domain = "x.example' --";
  EXPECT_EQ(desk.release(filter).value().changed, 0U);
  EXPECT_EQ(status_of(ledger.get(), "b@x.example"), AddressStatus::kQuarantine);
}

// A message tells of its failed recipients with each start, for as long as it is in the spool.
TEST_F(LedgerTest, AShortHistoryForgetsNotWhatWasApplied) {
  const auto ledger = open();
  conf::QuarantineSettings settings;
  settings.keep_history = 24h;
  apply(ledger.get(), {error("a@x.example", ErrorType::kHard, kBegin, 7)});
  LedgerDesk desk(ledger.get(), settings, "ann", kBegin + 1h);
  ASSERT_TRUE(desk.release({}).ok());
  ASSERT_TRUE(ledger->forget(kBegin + 120h, settings, 1000).ok());
  apply(ledger.get(), {error("a@x.example", ErrorType::kHard, kBegin + 120h, 7)});
  EXPECT_EQ(status_of(ledger.get(), "a@x.example"), AddressStatus::kUnknown);
  ASSERT_TRUE(ledger->forget(kBegin + 24h * 100, settings, 1000).ok());
  apply(ledger.get(), {error("a@x.example", ErrorType::kHard, kBegin + 24h * 100, 7)});
  EXPECT_EQ(status_of(ledger.get(), "a@x.example"), AddressStatus::kQuarantine) << "but not for ever";
}

TEST_F(LedgerTest, ADamagedFileIsSetAsideAndANewOneBegun) {
  apply(open().get(), {error("a@x.example", ErrorType::kHard, kBegin)});
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.write("this is no database any more", 28);
  }
  std::ofstream(path_ + "-known") << "as a relay keeps it";
  const auto ledger = open();
  ASSERT_NE(ledger, nullptr);
  EXPECT_NE(warning_.find(".damaged-"), std::string::npos) << warning_;
  EXPECT_TRUE(fs::exists(path_ + ".damaged-1790000000"));
  apply(ledger.get(), {error("b@x.example", ErrorType::kHard, kBegin)});
  EXPECT_EQ(status_of(ledger.get(), "b@x.example"), AddressStatus::kQuarantine);
}

TEST_F(LedgerTest, AFileOfSomebodyElseIsLeftAlone) {
  std::ofstream(path_) << "root:x:0:0:root:/root:/bin/bash\n";
  const auto opened = SqliteLedger::open(path_, kBegin, &warning_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().detail, path_ + " is no ledger of penstock, and is left alone; name another file");
  EXPECT_EQ(fs::file_size(path_), 32U);
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(path_).parent_path()), {}), 1);
}

TEST_F(LedgerTest, AFullDiskRefusesABatchWholeAndTakesItLater) {
  const auto ledger = open();
  ledger->database()->execute("PRAGMA max_page_count=60");
  std::vector<AddressSignal> signals;
  for (int i = 0; i < 3000; ++i)
    signals.push_back(error("u" + std::to_string(i) + "@x.example", ErrorType::kHard, kBegin, i + 1));
  LedgerBatch batch;
  batch.signals = signals;
  const conf::Status full = ledger->apply(batch, kSettings);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, conf::ErrorCode::kNoSpace) << full.error().detail;
  EXPECT_EQ(status_of(ledger.get(), "u0@x.example"), AddressStatus::kUnknown);  // nothing of it
  ledger->database()->execute("PRAGMA max_page_count=100000");
  ASSERT_TRUE(ledger->apply(batch, kSettings).ok());
  EXPECT_EQ(status_of(ledger.get(), "u2999@x.example"), AddressStatus::kQuarantine);
}

TEST_F(LedgerTest, ABackupIsWholeWhileAnotherWrites) {
  const auto ledger = open();
  apply(ledger.get(), {error("a@x.example", ErrorType::kHard, kBegin)});
  ledger->database()->begin();
  AddressRow other;
  other.address = "b@x.example";
  other.state.status = AddressStatus::kDenylisted;
  ledger->write(nullptr, other, kBegin, 0);
  const auto reader = open();  // another process
  ASSERT_NE(reader, nullptr);
  const std::string file = folder_ / "copy.db";
  reader->database()->prepare("VACUUM INTO ?").with(file).run();
  const conf::Status copied = reader->database()->failure();
  EXPECT_TRUE(copied.ok()) << copied.error().detail;
  ASSERT_TRUE(ledger->database()->commit().ok());
  EXPECT_TRUE(reader->changed_outside());
  EXPECT_EQ(status_of(reader.get(), "b@x.example"), AddressStatus::kDenylisted);
  path_ = file;
  const auto copy = open();
  EXPECT_EQ(status_of(copy.get(), "a@x.example"), AddressStatus::kQuarantine);
  EXPECT_EQ(status_of(copy.get(), "b@x.example"), AddressStatus::kUnknown);
}

// Weeks of virtual time: the same signals to the file and to the memory; the file is torn away at any point
// (its state is copied as a crash leaves it) and everything since the last batch is told again.
TEST_F(LedgerTest, SurvivesCrashesAtAnyPointOverWeeksAndAppliesNothingTwice) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    conf::Random random(seed);
    path_ = folder_ / (std::to_string(seed) + ".db");
    auto ledger = open();
    MemoryLedger memory;
    WallTime now = kBegin;
    uint64_t identity = 0;
    std::vector<AddressSignal> lately;  // may be told again
    for (int round = 0; round < 120; ++round) {
      now += Duration(static_cast<int64_t>(random.below(8 * 3600)) * 1'000'000);
      std::vector<AddressSignal> signals;
      for (uint64_t i = random.below(12); i > 0; --i) {
        const std::string address = "u" + std::to_string(random.below(40)) + "@x.example";
        AddressSignal signal =
            error(address, random.chance(0.05) ? ErrorType::kHard : ErrorType::kSoft, now, ++identity);
        if (random.chance(0.3)) signal.event.reason = kReasonMailboxFull;
        if (random.chance(0.25)) signal.event.kind = AddressEventKind::kDelivered;
        signals.push_back(signal);
      }
      apply(&memory, signals);
      if (random.chance(0.3)) {  // a crash before the batch, or after it: nobody knows
        if (random.chance(0.5)) apply(ledger.get(), signals);
        const std::string copy = path_ + "c";
        for (const char* part : {"", "-wal"}) {
          fs::remove(copy + part);
          if (fs::exists(path_ + part)) fs::copy_file(path_ + part, copy + part);
        }
        ledger.reset();
        path_ = copy;
        ledger = open();
        std::vector<AddressSignal> again = lately;
        again.insert(again.end(), signals.begin(), signals.end());
        apply(ledger.get(), again);
      } else {
        apply(ledger.get(), signals);
      }
      lately = signals;
      if (random.chance(0.2)) {
        ASSERT_TRUE(ledger->sweep(now, kSettings, 1000).ok());
        ASSERT_TRUE(memory.sweep(now, kSettings, 1000).ok());
      }
    }
    for (int i = 0; i < 40; ++i) {
      const std::string address = "u" + std::to_string(i) + "@x.example";
      const auto found = ledger->find("", address), wanted = memory.find("", address);
      ASSERT_EQ(found.value().has_value(), wanted.value().has_value()) << "seed " << seed << ' ' << address;
      if (found.value()) {
        EXPECT_EQ(found.value()->state, wanted.value()->state) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace bounce
