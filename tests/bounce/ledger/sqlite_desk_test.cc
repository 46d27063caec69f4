// What an operator orders about addresses: selected, imported, removed, given a new meaning, and taken back.
#include "bounce/ledger/sqlite_desk.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bounce/reason.h"
#include "tests/bounce/ledger/ledger_rig.h"

namespace bounce {
namespace {

using namespace std::chrono_literals;
using LedgerDeskTest = LedgerRig;

TEST_F(LedgerDeskTest, ReleaseSelectsAndIsUndoneAsAWhole) {
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

TEST_F(LedgerDeskTest, ImportTakesRowsAndSaysWhatIsWrongWithOthers) {
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
  std::filesystem::remove(path_);
  std::filesystem::remove(path_ + "-wal");
  std::filesystem::remove(path_ + "-shm");
  const auto other = open();
  LedgerDesk again(other.get(), kSettings, "ann", kBegin);
  bool given = false;
  const auto all = [&] { return std::exchange(given, true) ? std::string() : out; };
  EXPECT_EQ(again.import(all, AddressStatus::kQuarantine, "").value().changed, 3U);
  EXPECT_EQ(other->find("", "bob@x.example").value()->text, "=1+1");
  EXPECT_EQ(status_of(other.get(), "bob@x.example"), AddressStatus::kDenylisted);
}

TEST_F(LedgerDeskTest, AFileOfASpreadsheetIsReadByItsColumns) {
  const auto ledger = open();
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin);
  const BatchDone done = import(
      &desk, "\xef\xbb\xbf\"address\", Status\r\nann@x.example,allowlisted\r\nbob@x.example,denylisted");
  EXPECT_EQ(done.changed, 2U);
  EXPECT_TRUE(done.problems.empty()) << done.problems.front();
  EXPECT_EQ(status_of(ledger.get(), "ann@x.example"), AddressStatus::kAllowlisted);
  EXPECT_EQ(status_of(ledger.get(), "bob@x.example"), AddressStatus::kDenylisted);
}

TEST_F(LedgerDeskTest, WhatNoColumnNamesIsNotGuessed) {
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

TEST_F(LedgerDeskTest, ABatchThatSetAnAddressTwiceIsUndoneAsAWhole) {
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
TEST_F(LedgerDeskTest, NoBatchIsNotEverythingThatTheRelayDecided) {
  const auto ledger = open();
  apply(ledger.get(), {error("a@x.example", ErrorType::kHard, kBegin)});
  LedgerDesk desk(ledger.get(), kSettings, "ann", kBegin + 1h);
  auto done = desk.undo(0);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->changed, 0U);
  EXPECT_EQ(done->problems, std::vector<std::string>{"there is no batch 0"});
  EXPECT_EQ(status_of(ledger.get(), "a@x.example"), AddressStatus::kQuarantine);
}

TEST_F(LedgerDeskTest, RemovesFromOneListOrFromAll) {
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

TEST_F(LedgerDeskTest, AddressesFollowTheNewMeaningOfATextAndGoBackAsAWhole) {
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
TEST_F(LedgerDeskTest, WhoOrderedANewMeaningStandsInTheHistory) {
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
