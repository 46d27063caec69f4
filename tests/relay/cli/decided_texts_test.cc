// A decision about a text, and the past that follows it.
#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "bounce/diagnostic.h"
#include "bounce/ledger/sqlite_ledger.h"
#include "bounce/qualification_table.h"
#include "relay/host/text_table_file.h"
#include "tests/relay/cli/cli_rig.h"

namespace relay::cli {
namespace {

// What a text means is changed: the past says first how much of it is meant, follows, and comes back.
TEST_F(CliTest, ThePastFollowsADecisionAndComesBack) {
  const std::string table = (folder_ / "replies.tsv").string(), ledger = (folder_ / "ledger.db").string();
  const auto qualify = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"qualify", "-c", "/nonexistent", "--table", table, "--ledger", ledger,
                                 "--socket", settings_.socket});
    return command(std::move(words));
  };
  const std::string text = "Klaatu barada nikto";
  std::ofstream(folder_ / "log") << R"({"reply_code":550,"reply":")" << text << R"(","site":"mx.x.example"})"
                                 << "\n";
  spool_.records[1].recipients[0].reply_code = 550;
  spool_.records[1].recipients[0].last_reply = text;
  start();
  ASSERT_EQ(qualify({"learn", (folder_ / "log").string()}).exit_code, kDone);
  {
    std::string warning;
    auto opened = bounce::SqliteLedger::open(ledger, conf::SystemClock().wall(), &warning);
    ASSERT_TRUE(opened.ok());
    bounce::LedgerBatch batch;
    bounce::AddressSignal& signal = batch.signals.emplace_back();
    signal.address = "kim@x.example";
    signal.event.at = conf::SystemClock().wall();
    signal.event.type = conf::ErrorType::kHard;
    signal.event.reason = 1;
    signal.text = "550 " + text;
    ASSERT_TRUE(opened.value()->apply(batch, {}).ok());
  }
  const std::vector<std::string> set = {"set", "550 " + text, "--reason", "refused", "--scope", "sender"};
  Outcome outcome = qualify(set);
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.err;
  EXPECT_NE(outcome.out.find("would relabel 1 row with 1 past replies"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("would relabel 1 queued messages"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("would relabel 1 addresses: 1 leave"), std::string::npos) << outcome.out;
  const auto shown = [&] {
    return command({"quarantine", "-c", "/nonexistent", "--ledger", ledger, "list"}).out;
  };
  EXPECT_NE(shown().find("kim@x.example"), std::string::npos) << "it was only said";
  std::vector<std::string> done = set;
  done.push_back("--apply-to-past");
  outcome = qualify(done);
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.err;
  EXPECT_EQ(shown().find("kim@x.example"), std::string::npos) << outcome.out;
  EXPECT_NE(qualify({"list"}).out.find("Refused"), std::string::npos);
  outcome = qualify({"undo"});
  EXPECT_EQ(outcome.exit_code, kDone) << outcome.err;
  EXPECT_NE(shown().find("kim@x.example"), std::string::npos) << outcome.out;
  EXPECT_EQ(qualify({"list"}).out.find("Refused"), std::string::npos);
  EXPECT_EQ(qualify({"undo"}).exit_code, kFailed) << "it was taken back already";
}

// Each undo goes one deed further back.
TEST_F(CliTest, DeedsAreTakenBackOneAfterTheOther) {
  bounce::QualificationTable table;
  const std::string text = "550 5.7.1 not with us", file = (folder_ / "replies.tsv").string();
  table.note(text, bounce::read_diagnostic(text), "mx.example", {}, conf::from_unix_micros(1'000'000));
  ASSERT_TRUE(write_text_table(file, table).ok());
  const auto qualify = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"qualify", "-c", "/nonexistent", "--table", file});
    return command(std::move(words));
  };
  const auto set = [&](const std::string& reason) {
    EXPECT_EQ(qualify({"set", text, "--reason", reason, "--apply-to-past"}).exit_code, kDone);
  };
  const auto reason = [&] {
    bounce::QualificationTable now;
    EXPECT_TRUE(read_text_table(file, &now).ok());
    return now.rows().at(0)->reason;
  };
  const bounce::Reason at_first = reason();
  set("refused");
  set("mailbox-full");
  set("user-unknown");
  Outcome outcome = qualify({"history"});
  EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 3) << outcome.out;
  EXPECT_NE(outcome.out.find("set "), std::string::npos) << outcome.out;
  for (const bounce::Reason before : {bounce::Reason::kMailboxFull, bounce::Reason::kRefused, at_first}) {
    EXPECT_EQ(qualify({"undo"}).exit_code, kDone);
    EXPECT_EQ(reason(), before);
  }
  EXPECT_EQ(qualify({"undo"}).exit_code, kFailed);
  outcome = qualify({"history"});
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("nothing to take back"), std::string::npos);

  // Bounded; the last ones stay.
  for (int i = 0; i < 25; ++i) set(i % 2 == 0 ? "refused" : "mailbox-full");
  EXPECT_EQ(std::ranges::count(qualify({"history"}).out, '\n'), 20);
  EXPECT_EQ(qualify({"undo"}).exit_code, kDone);
  EXPECT_EQ(reason(), bounce::Reason::kMailboxFull);
}

TEST_F(CliTest, ATextWasSeenOnADayThatPeopleCanRead) {
  bounce::QualificationTable table;
  const std::string text = "550 5.7.1 not with us", file = (folder_ / "replies.tsv").string();
  table.note(text, bounce::read_diagnostic(text), "mx.example", {},
             conf::from_unix_micros(1'700'000'000'000'000));
  ASSERT_TRUE(write_text_table(file, table).ok());
  const Outcome shown = command({"qualify", "--table", file, "show", text});
  EXPECT_EQ(shown.exit_code, kDone) << shown.err;
  EXPECT_NE(shown.out.find("first seen  2023-11-14 22:13:20 UTC\nlast seen   2023-11-14 22:13:20 UTC\n"),
            std::string::npos)
      << shown.out;
  EXPECT_NE(command({"qualify", "--table", file, "list", "--status", "ignore"}).err.find("no such text"),
            std::string::npos);
}

}  // namespace
}  // namespace relay::cli
