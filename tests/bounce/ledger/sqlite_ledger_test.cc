#include "bounce/ledger/sqlite_ledger.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bounce/ledger/memory_ledger.h"
#include "bounce/ledger/sqlite_report.h"
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

TEST_F(LedgerTest, ReleaseSelectsAndIsUndoneAsAWhole) {
  const auto ledger = open();
  std::vector<AddressSignal> signals;
  for (int i = 0; i < 50; ++i) {
    AddressSignal signal = error("u" + std::to_string(i) + (i % 2 == 0 ? "@x.example" : "@y.example"),
                                 ErrorType::kHard, kBegin + i * 1min);
    if (i % 5 == 0) signal.text = "550 5.1.1 https://support.example/p";
    if (i == 3) signal.mx_host = "mx9.other.example";
    signals.push_back(signal);
  }
  apply(ledger.get(), signals);
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin + 2h);
  AddressFilter filter;
  filter.domain = "*.EXAMPLE";
  EXPECT_EQ(desk.count(filter).value(), 50U);
  filter.domain = "x.example";
  EXPECT_EQ(desk.count(filter).value(), 25U);
  filter.text = "SUPPORT.example";
  EXPECT_EQ(desk.count(filter).value(), 5U);
  filter.since = kBegin + 15min;
  filter.until = kBegin + 35min;
  EXPECT_EQ(desk.count(filter).value(), 2U);
  AddressFilter host;
  host.site = "mx9.*";
  EXPECT_EQ(desk.count(host).value(), 1U);
  host.site = "mx2.example.net";
  EXPECT_EQ(desk.count(host).value(), 50U);
  host.reason = static_cast<uint8_t>(Reason::kMailboxFull);
  EXPECT_EQ(desk.count(host).value(), 0U);

  filter = AddressFilter();
  filter.rule = "user-unknown";
  auto done = desk.release(filter);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->changed, 50U);
  EXPECT_EQ(status_of(ledger.get(), "u0@x.example"), AddressStatus::kUnknown);
  // Meanwhile one of them fails again: undo leaves it as it is now.
  apply(ledger.get(), {error("u0@x.example", ErrorType::kSoft, kBegin + 3h)});
  auto undone = desk.undo(done->batch);
  EXPECT_EQ(undone->changed, 49U);
  EXPECT_EQ(undone->left, 1U);
  EXPECT_EQ(status_of(ledger.get(), "u0@x.example"), AddressStatus::kWithErrors);
  const auto row = ledger->find("", "u5@y.example");
  EXPECT_EQ(row.value()->state.status, AddressStatus::kQuarantine);
  EXPECT_EQ(row.value()->text, "550 5.1.1 https://support.example/p");
  EXPECT_EQ(row.value()->by, "automatic") << "whose it was before, so that the same release finds it again";
  EXPECT_EQ(desk.history("u5@y.example", 0, 10)->size(), 3U);
}

TEST_F(LedgerTest, ImportTakesRowsAndSaysWhatIsWrongWithOthers) {
  const auto ledger = open();
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin);
  std::vector<std::string> pieces = {
      "Status,Address,Reason,Te", "xt\r\nquarantine,Ann@X.example,5,\"full, very \"\"full\"\"\"\r\n",
      "denylisted,bob@x.example,Refused,=1+1\r\nnonsense,c@x.example,1,\r\n,not an address,1,\r\n",
      "allowlisted,\"'+d@x.example\",,\n,e@x.example,zzz,\n"};
  size_t next = 0;
  const auto read = [&] { return next < pieces.size() ? pieces[next++] : std::string(); };
  auto done = desk.import(read, AddressStatus::kQuarantine, "");
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->changed, 3U);
  EXPECT_EQ(done->left, 3U);
  ASSERT_EQ(done->problems.size(), 3U);
  EXPECT_NE(done->problems[0].find("row 4"), std::string::npos) << done->problems[0];
  EXPECT_EQ(ledger->find("", "ann@x.example").value()->text, "full, very \"full\"");
  EXPECT_EQ(ledger->find("", "ann@x.example").value()->state.reason, 5);
  EXPECT_EQ(status_of(ledger.get(), "+d@x.example"), AddressStatus::kAllowlisted);
  std::string out = LedgerDesk::export_header();
  ASSERT_TRUE(desk.each({},
                        [&out](const AddressRow& row) {
                          LedgerDesk::append_row(row, &out);
                          return true;
                        })
                  .ok());
  EXPECT_NE(out.find("\"'+d@x.example\""), std::string::npos) << out;
  EXPECT_NE(out.find("\"'=1+1\""), std::string::npos) << out;
  // What went out comes in again as it was.
  fs::remove(path_);
  fs::remove(path_ + "-wal");
  fs::remove(path_ + "-shm");
  const auto other = open();
  LedgerDesk again(other.get(), kSettings, "ann", kBegin);
  bool given = false;
  const auto all = [&] { return std::exchange(given, true) ? std::string() : out; };
  EXPECT_EQ(again.import(all, AddressStatus::kQuarantine, "").value().changed, 3U);
  EXPECT_EQ(other->find("", "bob@x.example").value()->text, "=1+1");
  EXPECT_EQ(status_of(other.get(), "bob@x.example"), AddressStatus::kDenylisted);
}

TEST_F(LedgerTest, AFileOfASpreadsheetIsReadByItsColumns) {
  const auto ledger = open();
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin);
  const BatchDone done = import(
      &desk, "\xef\xbb\xbf\"address\", Status\r\nann@x.example,allowlisted\r\nbob@x.example,denylisted");
  EXPECT_EQ(done.changed, 2U);
  EXPECT_TRUE(done.problems.empty()) << done.problems.front();
  EXPECT_EQ(status_of(ledger.get(), "ann@x.example"), AddressStatus::kAllowlisted);
  EXPECT_EQ(status_of(ledger.get(), "bob@x.example"), AddressStatus::kDenylisted);
}

TEST_F(LedgerTest, WhatNoColumnNamesIsNotGuessed) {
  const auto ledger = open();
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin);
  for (const char* file : {"email,status\nann@x.example,allowlisted\n", "ann@x.example,allowlisted\n"}) {
    const BatchDone done = import(&desk, file);
    EXPECT_EQ(done.changed, 0U) << file;
    ASSERT_EQ(done.problems.size(), 1U) << file;
    EXPECT_NE(done.problems.front().find("row 1: no column is named \"address\""), std::string::npos);
  }
  const BatchDone done = import(&desk, "ann@x.example\nbob@x.example,allowlisted\ncy@x.example,\n");
  EXPECT_EQ(done.changed, 2U);
  ASSERT_EQ(done.problems.size(), 1U);
  EXPECT_EQ(done.problems.front(), "row 2: \"allowlisted\" stands in no column that the first row names");
  EXPECT_EQ(status_of(ledger.get(), "bob@x.example"), AddressStatus::kUnknown);
}

TEST_F(LedgerTest, ABatchThatSetAnAddressTwiceIsUndoneAsAWhole) {
  const auto ledger = open();
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin);
  const BatchDone done =
      import(&desk, "address,status\nann@x.example,quarantine\nAnn@X.example,denylisted\n");
  EXPECT_EQ(status_of(ledger.get(), "ann@x.example"), AddressStatus::kDenylisted);
  auto undone = desk.undo(done.batch);
  ASSERT_TRUE(undone.ok());
  EXPECT_EQ(undone->left, 0U);
  EXPECT_EQ(status_of(ledger.get(), "ann@x.example"), AddressStatus::kUnknown);
  ASSERT_TRUE(desk.undo(undone->batch).ok());
  EXPECT_EQ(status_of(ledger.get(), "ann@x.example"), AddressStatus::kDenylisted);
  ASSERT_TRUE(desk.set({"ann@x.example"}, "", AddressStatus::kAllowlisted, 0, "").ok());
  EXPECT_EQ(desk.undo(done.batch)->changed, 0U) << "what came later stays";
}

// A script hands on the number of a batch that changed nothing.
TEST_F(LedgerTest, NoBatchIsNotEverythingThatTheRelayDecided) {
  const auto ledger = open();
  apply(ledger.get(), {error("a@x.example", ErrorType::kHard, kBegin)});
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin + 1h);
  auto done = desk.undo(0);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->changed, 0U);
  EXPECT_EQ(done->problems, std::vector<std::string>{"there is no batch 0"});
  EXPECT_EQ(status_of(ledger.get(), "a@x.example"), AddressStatus::kQuarantine);
}

TEST_F(LedgerTest, RemovesFromOneListOrFromAll) {
  const auto ledger = open();
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin);
  const auto set = [&] {
    for (const char* list : {"", "shop.example", "news.example"})
      ASSERT_TRUE(desk.set({"ann@x.example"}, list, AddressStatus::kQuarantine, 0, "").ok());
  };
  set();
  EXPECT_EQ(desk.remove({"Ann@x.example"}, "shop.example")->changed, 1U);
  EXPECT_EQ(status_of(ledger.get(), "ann@x.example", "news.example"), AddressStatus::kQuarantine);
  auto done = desk.remove({"Ann@x.example", "nobody@x.example"}, std::nullopt);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->changed, 2U);
  EXPECT_EQ(done->left, 1U);
  EXPECT_EQ(status_of(ledger.get(), "ann@x.example"), AddressStatus::kUnknown);
  EXPECT_EQ(status_of(ledger.get(), "ann@x.example", "news.example"), AddressStatus::kUnknown);
  EXPECT_EQ(desk.undo(done->batch)->changed, 2U);
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
  const conf::Status copied = reader->backup(folder_ + "/copy.db");
  EXPECT_TRUE(copied.ok()) << copied.error().detail;
  ASSERT_TRUE(ledger->database()->commit().ok());
  EXPECT_TRUE(reader->changed_outside());
  EXPECT_EQ(status_of(reader.get(), "b@x.example"), AddressStatus::kDenylisted);
  path_ = folder_ + "/copy.db";
  const auto copy = open();
  EXPECT_EQ(status_of(copy.get(), "a@x.example"), AddressStatus::kQuarantine);
  EXPECT_EQ(status_of(copy.get(), "b@x.example"), AddressStatus::kUnknown);
}

// Weeks of virtual time: the same signals to the file and to the memory; the file is torn away at any point
// (its state is copied as a crash leaves it) and everything since the last batch is told again.
TEST_F(LedgerTest, SurvivesCrashesAtAnyPointOverWeeksAndAppliesNothingTwice) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    conf::Random random(seed);
    path_ = folder_ + "/" + std::to_string(seed) + ".db";
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

TEST_F(LedgerTest, ReportsAddUp) {
  const auto ledger = open();
  LedgerBatch batch;
  const int64_t hour = conf::unix_micros(kBegin) / 3'600'000'000;
  const auto put = [&](int64_t at, Outcome outcome, Reason reason, const std::string& site, uint64_t count) {
    batch.tallies.push_back(
        {{at, static_cast<uint8_t>(outcome), static_cast<uint8_t>(reason), 0, site, "s1", "shop.example"},
         count});
  };
  put(hour, Outcome::kDelivered, Reason::kNotDefined, "mx.a", 100);
  put(hour, Outcome::kFailed, Reason::kUserUnknown, "mx.a", 7);
  put(hour + 1, Outcome::kDeferred, Reason::kMailboxFull, "mx.b", 5);
  put(hour + 30, Outcome::kDelivered, Reason::kNotDefined, "mx.b", 40);
  batch.texts.push_back({hour, "550 5.1.1 * unknown", 7});
  ASSERT_TRUE(ledger->apply(batch, kSettings).ok());
  ASSERT_TRUE(ledger->apply(batch, kSettings).ok());
  ReportRange range;
  range.since = kBegin;
  range.until = kBegin + 2h;
  const auto by_site = make_report(ledger->database(), ReportBy::kSite, range, 10);
  ASSERT_TRUE(by_site.ok()) << by_site.error().detail;
  ASSERT_EQ(by_site.value().lines.size(), 2U);
  EXPECT_EQ(by_site.value().lines[0].name, "mx.a");
  EXPECT_EQ(by_site.value().lines[0].delivered, 200U);
  EXPECT_EQ(by_site.value().lines[0].failed, 14U);
  EXPECT_EQ(by_site.value().total.deferred, 10U);
  ASSERT_EQ(by_site.value().texts.size(), 1U);
  EXPECT_EQ(by_site.value().texts[0].count, 14U);
  range.until = kBegin + 48h;
  const auto by_day = make_report(ledger->database(), ReportBy::kDay, range, 10);
  ASSERT_EQ(by_day.value().lines.size(), 2U);
  EXPECT_EQ(by_day.value().lines[0].name, "2026-09-21");
  const auto by_reason = make_report(ledger->database(), ReportBy::kReason, range, 10);
  EXPECT_EQ(by_reason.value().lines[0].name, "user-unknown");
  EXPECT_EQ(make_report(ledger->database(), ReportBy::kHour, range, 10).value().lines.size(), 3U);
  range.site = "mx.b";
  EXPECT_EQ(make_report(ledger->database(), ReportBy::kType, range, 10).value().total.delivered, 80U);
}

TEST_F(LedgerTest, AReportKeepsTheLatestHoursAndTheSumOfTheOthers) {
  const auto ledger = open();
  LedgerBatch batch;
  const int64_t hour = conf::unix_micros(kBegin) / 3'600'000'000;
  for (int64_t i = 0; i < 60; ++i)
    batch.tallies.push_back({{hour + i, static_cast<uint8_t>(Outcome::kDelivered), 0, 0, "mx1.a,mx2.a", "s1",
                              i == 59 ? "news.example" : "shop.example"},
                             static_cast<uint64_t>(i)});
  batch.texts.push_back({hour, "550 5.1.1 * unknown", 7});
  ASSERT_TRUE(ledger->apply(batch, kSettings).ok());
  ReportRange range;
  range.since = kBegin;
  range.until = kBegin + 100h;
  auto made = make_report(ledger->database(), ReportBy::kHour, range, 50);
  ASSERT_EQ(made->lines.size(), 50U);
  EXPECT_EQ(made->lines.back().delivered, 59U);
  EXPECT_EQ(made->others, 10U);
  EXPECT_EQ(made->other.delivered, 45U);
  EXPECT_EQ(made->texts.size(), 1U);
  // A host of a site selects it, in any case; the texts are of all sites, and are not said to be of this one.
  range.site = "MX2.a";
  range.sender_domain = "Shop.example";
  auto some = make_report(ledger->database(), ReportBy::kSource, range, 50);
  EXPECT_EQ(some->total.delivered, 59U * 58 / 2);
  EXPECT_TRUE(some->texts.empty());
  EXPECT_EQ(some->others, 0U);
}

TEST_F(LedgerTest, AddressesFollowTheNewMeaningOfATextAndGoBackAsAWhole) {
  const auto ledger = open();
  AddressSignal other = error("lee@x.example", ErrorType::kHard, kBegin, 2);
  other.text = "550 5.1.1 another text";
  apply(ledger.get(), {error("kim@x.example", ErrorType::kHard, kBegin, 1), other});
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin + 1h);
  ASSERT_TRUE(desk.set({"pat@x.example"}, "", AddressStatus::kQuarantine, 1, "550 5.1.1 no such user").ok());
  const auto reading = [](const AddressRow& row) -> std::optional<Qualification> {
    if (row.text != "550 5.1.1 no such user") return std::nullopt;
    Qualification ours;
    ours.type = ErrorType::kSoft;
    ours.scope = Scope::kSender;
    ours.reason = Reason::kRefused;
    return ours;
  };
  auto counted = desk.relabel(reading, false);
  ASSERT_TRUE(counted.ok());
  EXPECT_EQ(counted->leave, 1U);
  EXPECT_EQ(counted->done.batch, 0U);
  EXPECT_EQ(status_of(ledger.get(), "kim@x.example"), AddressStatus::kQuarantine) << "only said";
  auto done = desk.relabel(reading, true);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->done.changed, 1U);
  EXPECT_EQ(status_of(ledger.get(), "kim@x.example"), AddressStatus::kUnknown);
  EXPECT_EQ(status_of(ledger.get(), "lee@x.example"), AddressStatus::kQuarantine);
  EXPECT_EQ(status_of(ledger.get(), "pat@x.example"), AddressStatus::kQuarantine) << "an operator's word";
  ASSERT_TRUE(desk.undo(done->done.batch).ok());
  EXPECT_EQ(status_of(ledger.get(), "kim@x.example"), AddressStatus::kQuarantine);
}

// The history names who ordered it; whose the row is stays as it was, so that rules may move it still.
TEST_F(LedgerTest, WhoOrderedANewMeaningStandsInTheHistory) {
  const auto ledger = open();
  apply(ledger.get(), {error("kim@x.example", ErrorType::kHard, kBegin, 1)});
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin + 1h);
  const auto reading = [](const AddressRow&) -> std::optional<Qualification> {
    Qualification disabled;
    disabled.type = ErrorType::kHard;
    disabled.scope = Scope::kRecipient;
    disabled.reason = Reason::kAccountDisabled;
    return disabled;
  };
  auto done = desk.relabel(reading, true);
  ASSERT_TRUE(done.ok());
  ASSERT_EQ(done->done.changed, 1U);
  auto history = desk.history("kim@x.example", 0, 10);
  ASSERT_TRUE(history.ok());
  ASSERT_EQ(history->size(), 2U);
  EXPECT_EQ(history->front().by, "ann");
  EXPECT_EQ(history->back().by, "automatic");
  EXPECT_EQ(ledger->find("", "kim@x.example").value()->by, "automatic");
  AddressFilter all;
  auto released = desk.release(all);
  ASSERT_TRUE(released.ok());
  ASSERT_TRUE(desk.undo(released->batch).ok());
  EXPECT_EQ(ledger->find("", "kim@x.example").value()->by, "automatic")
      << "ann made a meaning hers, not the row";
}

}  // namespace
}  // namespace bounce
