// Notices about several recipients: the reply to one is never the reason of another.
#include "bounce/report/own_words.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "bounce/report/meaning.h"
#include "bounce/report/report.h"

namespace bounce::report {
namespace {

std::string notice(const std::string& text) {
  return "Return-Path: <>\nFrom: MAILER-DAEMON@there.example\nTo: news@sender.example\n"
         "Subject: Undelivered Mail Returned to Sender\n\n" +
         text + "\n";
}

// A DSN: its words, and its groups.
std::string dsn(const std::string& text, const std::string& groups) {
  return "Return-Path: <>\nFrom: MAILER-DAEMON@there.example\nTo: news@sender.example\n"
         "Subject: Delivery failure\nMIME-Version: 1.0\n"
         "Content-Type: multipart/report; report-type=delivery-status; boundary=B\n\n"
         "--B\nContent-Type: text/plain\n\n" +
         text + "\n\n--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; there.example\n\n" +
         groups + "\n--B--\n";
}

std::string group(const std::string& address, const std::string& status, const std::string& more = "") {
  return "Final-Recipient: rfc822; " + address + "\nAction: failed\nStatus: " + status + "\n" + more + "\n";
}

const Recipient* find(const Report& report, const std::string& address) {
  for (const Recipient& each : report.recipients) {
    if (each.address == address) return &each;
  }
  ADD_FAILURE() << address << " is not there";
  return nullptr;
}

void expect_meaning(const Report& report, const std::string& address, ErrorType type,
                    const std::string& reason) {
  SCOPED_TRACE(address);
  const Recipient* recipient = find(report, address);
  if (recipient == nullptr) return;
  const Qualification meaning = meaning_of(report, *recipient, *Qualifier::shipped());
  EXPECT_EQ(meaning.type, type) << recipient->diagnostic;
  EXPECT_EQ(label(meaning.reason), reason) << recipient->diagnostic << " / " << meaning.rule;
}

TEST(OwnWords, WordsWithoutACodeStandAgainstTheReplyOfANeighbour) {
  const Report report =
      read_report(notice("The following addresses failed:\n\n  kim@one.example\n    retry timeout exceeded\n"
                         "  lee@two.example\n    SMTP error after RCPT TO:<lee@two.example>:\n"
                         "    550 5.1.1 no such user\n  pat@three.example\n    Connection timed out\n"));
  expect_meaning(report, "kim@one.example", ErrorType::kSoft, "Unreachable");
  expect_meaning(report, "lee@two.example", ErrorType::kHard, "User unknown");
  expect_meaning(report, "pat@three.example", ErrorType::kSoft, "Unreachable");
}

TEST(OwnWords, TheOrderOfTheRecipientsChangesNothing) {
  const std::string dead =
      "<kim@one.example>: host mx.one.example[192.0.2.1] said: 550 5.1.1\n"
      "    <kim@one.example>: User unknown (in reply to RCPT TO command)\n\n";
  const std::string gone =
      "<lee@nowhere.example>: Host or domain name not found. Name service error for\n"
      "    name=nowhere.example type=AAAA: Host not found\n\n";
  const std::string away =
      "<pat@away.example>: connect to mx.away.example[192.0.2.9]:25: Connection\n"
      "    refused\n\n";
  for (const std::string& text : {dead + gone + away, away + dead + gone, gone + away + dead}) {
    const Report report = read_report(notice(text));
    expect_meaning(report, "kim@one.example", ErrorType::kHard, "User unknown");
    expect_meaning(report, "lee@nowhere.example", ErrorType::kSoft, "Invalid domain");
    expect_meaning(report, "pat@away.example", ErrorType::kSoft, "Unreachable");
  }
}

TEST(OwnWords, AStatusThatSaysWhyBorrowsNothing) {
  const std::string text = "Could not deliver:\n<lee@two.example>: 550 5.1.1 User unknown\n";
  const Report report =
      read_report(dsn(text, group("kim@one.example", "4.4.7") + group("lee@two.example", "5.1.1") +
                                group("pat@three.example", "5.4.7")));
  expect_meaning(report, "kim@one.example", ErrorType::kSoft, "Unreachable");
  expect_meaning(report, "lee@two.example", ErrorType::kHard, "User unknown");
  expect_meaning(report, "pat@three.example", ErrorType::kSoft, "Unreachable");
  EXPECT_EQ(report.recipients.front().status, "4.4.7");
  EXPECT_EQ(report.recipients.front().code, 0);
}

TEST(OwnWords, TheFieldsMayTellOfOneOfSeveral) {
  const std::string text =
      "<kim@one.example>: connection timed out\n\n<lee@two.example>: 550 5.1.1 User unknown\n";
  const Report report = read_report(dsn(text, group("kim@one.example", "5.0.0")));
  ASSERT_EQ(report.recipients.size(), 1U);
  expect_meaning(report, "kim@one.example", ErrorType::kSoft, "Unreachable");
}

TEST(OwnWords, ATranscriptAnswersWhomItsCommandNamed) {
  const std::string text =
      "   ----- The following addresses had permanent fatal errors -----\n<kim@one.example>\n"
      "<lee@two.example>\n\n   ----- Transcript of session follows -----\n"
      "<kim@one.example>... Deferred: Connection reset by mx.one.example.\n"
      "... while talking to mx.two.example.:\n>>> RCPT To:<lee@two.example>\n"
      "<<< 550-5.1.1 The account that you tried to reach\n<<< 550 5.1.1 does not exist\n"
      "550 5.1.1 <lee@two.example>... User unknown\n>>> DATA\n<<< 503 5.5.1 no valid recipients\n";
  const Report report =
      read_report(dsn(text, group("kim@one.example", "5.0.0") + group("lee@two.example", "5.0.0")));
  expect_meaning(report, "kim@one.example", ErrorType::kSoft, "Unreachable");
  expect_meaning(report, "lee@two.example", ErrorType::kHard, "User unknown");
  const Recipient* lee = find(report, "lee@two.example");
  EXPECT_EQ(lee->diagnostic, "550 5.1.1 The account that you tried to reach does not exist");
  EXPECT_EQ(lee->remote_mta, "mx.two.example");
}

TEST(OwnWords, RepliesToCommandsSentTogetherBelongToNobody) {
  const std::string text =
      ">>> RCPT To:<kim@one.example>\n>>> RCPT To:<lee@one.example>\n<<< 550 5.1.1 User unknown\n"
      "<<< 452 4.2.2 Mailbox full\n";
  const Report report =
      read_report(dsn(text, group("kim@one.example", "5.0.0") + group("lee@one.example", "5.0.0")));
  for (const Recipient& each : report.recipients) {
    EXPECT_NE(meaning_of(report, each, *Qualifier::shipped()).type, ErrorType::kHard) << each.diagnostic;
  }
}

TEST(OwnWords, LocalNamesAreTheirs) {
  const std::string text =
      "   ----- Transcript of session follows -----\n<kim@one.example>... Deferred: No route to host\n"
      "550 5.1.1 lee... User unknown\n550 5.1.1 <sam>... User unknown\n";
  const Report report =
      read_report(dsn(text, group("kim@one.example", "5.0.0") + group("lee@two.example", "5.0.0")));
  expect_meaning(report, "kim@one.example", ErrorType::kSoft, "Unreachable");
  expect_meaning(report, "lee@two.example", ErrorType::kHard, "User unknown");
}

TEST(OwnWords, TheReasonBelowSeveralNamesIsNobodys) {
  Recipient kim, lee;
  kim.address = "kim@one.example";
  lee.address = "lee@two.example";
  const std::string text = "Failed:\n  kim@one.example\n  lee@two.example\n\n550 5.1.1 User unknown\n";
  const OwnWords words(text, {kim, lee});
  EXPECT_EQ(words.of(kim), "  kim@one.example\n");
  EXPECT_EQ(words.of(lee), "  lee@two.example\n");
  const OwnWords together("kim@one.example, lee@two.example:\n  550 5.1.1 User unknown\n", {kim, lee});
  EXPECT_NE(together.of(kim).find("User unknown"), std::string_view::npos);
  EXPECT_EQ(together.of(kim), together.of(lee));
  EXPECT_TRUE(words.names_another(kim, "550 <lee@two.example> no"));
  EXPECT_FALSE(words.names_another(kim, "550 <kim@one.example> no"));
}

TEST(OwnWords, AReasonBelowAListIsNotThatOfItsLastName) {
  const Report report =
      read_report(notice("Delivery to the following recipients failed permanently.\n\n   kim@one.example\n"
                         "   lee@one.example\n\n550 5.1.1 mailbox unavailable\n"));
  ASSERT_EQ(report.recipients.size(), 2U);
  for (const Recipient& each : report.recipients) {
    EXPECT_NE(meaning_of(report, each, *Qualifier::shipped()).type, ErrorType::kHard) << each.diagnostic;
    EXPECT_EQ(each.diagnostic, "");
  }
}

TEST(OwnWords, AliasesInTheLineOfARecipientAreHis) {
  const Report report =
      read_report(notice("<kim@one.example> (expanded from <all@one.example>): user unknown\n\n"
                         "<lee@two.example> (expanded from <info@one.example>): connection timed out\n"));
  ASSERT_EQ(report.recipients.size(), 2U);
  expect_meaning(report, "kim@one.example", ErrorType::kHard, "User unknown");
  expect_meaning(report, "lee@two.example", ErrorType::kSoft, "Unreachable");
  EXPECT_EQ(report.recipients[0].original_address, "all@one.example");
  EXPECT_EQ(report.recipients[1].original_address, "info@one.example");
}

TEST(OwnWords, OfManyRecipientsCostLittleAndAreBounded) {
  std::vector<Recipient> recipients(200);
  std::string all;
  for (size_t i = 0; i < recipients.size(); ++i) {
    recipients[i].address = "user" + std::to_string(i) + "@one.example";
    all += recipients[i].address + ", ";
  }
  std::string text = all + '\n';
  for (int i = 0; i < 2000; ++i) text += all.substr(0, 3000) + "words without end\n";
  const auto begin = std::chrono::steady_clock::now();
  const OwnWords words(text, recipients);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  for (const Recipient& each : recipients) EXPECT_LE(words.of(each).size(), 4096U);
}

}  // namespace
}  // namespace bounce::report
