// What the words around a diagnostic may add to its meaning, and what they may not.
#include "bounce/report/meaning.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bounce::report {
namespace {

Report failed(const std::string& diagnostic, const std::string& status, const std::string& notice) {
  Report report;
  report.kind = Kind::kDsn;
  report.notice = notice;
  Recipient& kim = report.recipients.emplace_back();
  kim.address = "kim@one.example";
  kim.action = Action::kFailed;
  kim.diagnostic = diagnostic;
  kim.status = status;
  return report;
}

Qualification meaning(const Report& report) {
  return meaning_of(report, report.recipients.front(), *Qualifier::shipped());
}

const char* const kPostfix =
    "This is the mail system at host mx.there.example.\n\nI'm sorry to have to inform you that your message "
    "could not\nbe delivered to one or more recipients. It's attached below.\n\nFor further assistance, "
    "please send mail to postmaster.\n\nIf you do so, please include this problem report. You can\ndelete "
    "your own text from the attached returned message.\n\n<kim@one.example>: ";

TEST(MeaningOfNotices, ConnectionsThatFailAreNotReadFromTheWordsAroundThem) {
  for (const char* words :
       {"connect to in.one.example[192.0.2.7]:25: Connection refused",
        "connect to in.one.example[192.0.2.7]:25: Connection timed out",
        "lost connection with in.one.example[192.0.2.7] while receiving the initial server greeting",
        "host in.one.example [192.0.2.7]: Connection refused",
        "host in.one.example [192.0.2.7]: No route to host"}) {
    for (const char* status : {"4.4.1", "4.0.0", "5.0.0", ""}) {
      const Qualification read = meaning(failed(words, status, std::string(kPostfix) + words));
      EXPECT_EQ(read.reason, Reason::kUnreachable) << words << status << read.rule;
      EXPECT_EQ(read.type, ErrorType::kSoft) << words;
      EXPECT_EQ(read.scope, Scope::kSite) << words;
    }
  }
}

TEST(MeaningOfNotices, FixedSentencesAreNoReason) {
  for (const char* sentence :
       {"The attached message had PERMANENT fatal delivery errors!", "It's attached below.",
        "The message header fields are attached.", "Your mail to multiple recipients is attached.",
        "Written by the gateway of cc:Mail. The header of your message follows."}) {
    const Qualification read = meaning(failed("", "5.0.0", sentence));
    EXPECT_EQ(read.reason, Reason::kNotDefined) << sentence << " " << read.rule;
  }
}

TEST(MeaningOfNotices, TheNameOfAMailSystemIsNoReason) {
  const Qualification read =
      meaning(failed("Reason: User KIM at OFFICE was not found in the cc:Mail directory.", "5.0.0", ""));
  EXPECT_EQ(read.reason, Reason::kUserUnknown) << read.rule;
}

TEST(MeaningOfNotices, TheReasonAroundAnEmptyDiagnosticStillCounts) {
  EXPECT_EQ(meaning(failed("", "5.0.0", "kim@one.example: the mailbox is full")).reason,
            Reason::kMailboxFull);
  Report two = failed("", "5.0.0", "<lee@one.example>: 550 5.1.1 user unknown");
  two.recipients.push_back(two.recipients.front());
  two.recipients.back().address = "lee@one.example";
  EXPECT_NE(meaning(two).type, ErrorType::kHard);
}

TEST(MeaningOfNotices, AQuotedReplyComesBeforeTheWordsThatAreAlwaysThere) {
  const auto read = [](const std::string& diagnostic) {
    return meaning(failed(diagnostic, "5.1.0", "The reason for the problem:\n" + diagnostic));
  };
  const std::string prefix = "5.1.0 - Unknown address error ";
  const Qualification policy = read(prefix + "550-'Message refused by the policy of this company'");
  EXPECT_EQ(policy.reason, Reason::kRefused) << policy.rule;
  EXPECT_NE(policy.type, ErrorType::kHard);
  EXPECT_EQ(read(prefix + "552-'5.2.2 mailbox full' (delivery attempts: 0)").reason, Reason::kMailboxFull);
  EXPECT_EQ(read(prefix + "554-'5.7.1 Service unavailable; client host blocked using zen.example'").reason,
            Reason::kRefused);
  const Qualification unknown = read(prefix + "550-'5.1.1 <kim@one.example>: no such user'");
  EXPECT_EQ(unknown.reason, Reason::kUserUnknown);
  EXPECT_EQ(unknown.type, ErrorType::kHard);
  // Cut, empty or without quotes: as it always was read.
  EXPECT_EQ(read(prefix + "550-''").reason, Reason::kUserUnknown);
  for (const std::string& odd : {prefix + "550-'", prefix + "-'x'", prefix + "x-'y",
                                 std::string("5.1.0 - -'"), std::string("5.1.0 - '"), std::string("5.1.0 -")})
    (void)read(odd);
}

}  // namespace
}  // namespace bounce::report
