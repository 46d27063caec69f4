// Sessions that a notice writes out.
#include "bounce/report/transcript.h"

#include <gtest/gtest.h>

#include <string>

#include "bounce/report/diagnostic_text.h"
#include "bounce/report/meaning.h"
#include "bounce/report/report.h"

namespace bounce::report {
namespace {

TEST(Transcript, LinesAreKnownByTheirPrompts) {
  EXPECT_EQ(session_line("<<< 550 5.1.1 no such user"), "550 5.1.1 no such user");
  EXPECT_EQ(session_line(">>> RCPT To:<a@b.example>"), "RCPT To:<a@b.example>");
  EXPECT_EQ(session_line(" Tue 2026-03-03 08:01:05: [17:3] <-- 552 full"), "552 full");
  EXPECT_EQ(session_line("Tue 2026-03-03 08:01:05.123: --> DATA"), "DATA");
  EXPECT_EQ(session_line("03/03/2026 08:01:05 [17] S: 250 ok"), "250 ok");
  for (const char* line : {"", "> kim@one.example", "<kim@one.example>: 550 no", "<< 5", "550 5.1.1 no",
                           "Tue 2026-03-03 08:01:05: Parsing message", "> he wrote this", "2026", "[]: <"})
    EXPECT_EQ(session_line(line), "") << line;
}

TEST(Transcript, AStatusOfSuccessIsNoReasonOfAFailure) {
  EXPECT_EQ(find_status("250 2.1.0 Sender ok 550 5.1.1 no such user"), "5.1.1");
  EXPECT_EQ(find_status("250 2.1.0 Sender ok 554 5.0.0 no"), "5.0.0");
  EXPECT_EQ(find_status("250 2.1.5 ok"), "2.1.5");
}

Report session(const std::string& last) {
  const std::string stamp = " Tue 2026-03-03 08:01:05: [17:3] ";
  std::string text =
      "Return-Path: <>\nFrom: MDaemon@there.example\nTo: news@sender.example\n"
      "Subject: Permanent Delivery Failure\nContent-Type: multipart/mixed; boundary=B\n\n--B\n\nYOUR MESSAGE "
      "WAS NOT DELIVERED!\n\n"
      "The following addresses did NOT receive a copy of your message:\n\n> kim@one.example\n\n"
      "--- Session Transcript ---\n";
  for (const std::string line :
       {"Attempting SMTP connection to [in.one.example : 25]", "<-- 220 in.one.example ESMTP",
        "--> MAIL From:<news@sender.example>", "<-- 250 2.1.0 Sender ok", "--> RCPT To:<kim@one.example>"})
    text += stamp + line + '\n';
  return read_report(text + stamp + "<-- " + last + '\n' + stamp +
                     "--> QUIT\n--- End Transcript ---\n\n"
                     "--B\nContent-Type: message/rfc822\n\nTo: kim@one.example\n\nhi\n--B--\n");
}

TEST(Transcript, WithDatesBeforeItsLinesGivesTheLastRefusal) {
  const Report full = session("552 5.2.2 <kim@one.example>: mailbox full");
  ASSERT_EQ(full.recipients.size(), 1U);
  EXPECT_EQ(full.recipients[0].address, "kim@one.example");
  EXPECT_EQ(full.recipients[0].diagnostic, "552 5.2.2 <kim@one.example>: mailbox full");
  EXPECT_EQ(full.recipients[0].status, "5.2.2");
  const Report unknown = session("550 No such user here");
  ASSERT_EQ(unknown.recipients.size(), 1U);
  EXPECT_EQ(unknown.recipients[0].status, "");
  EXPECT_EQ(meaning_of(unknown, unknown.recipients[0], *Qualifier::shipped()).reason, Reason::kUserUnknown);
}

TEST(Transcript, WhatAProgramSaidStandsBesideHowItEnded) {
  const auto read = [](const std::string& text) {
    const Report report = read_report(
        "Return-Path: <>\nFrom: MAILER-DAEMON@there.example\nTo: news@sender.example\n"
        "Subject: Returned mail: see transcript for details\n\n"
        "   ----- The following addresses had permanent fatal errors -----\n<kim@there.example>\n\n"
        "   ----- Transcript of session follows -----\n" +
        text + "\n");
    EXPECT_EQ(report.recipients.size(), 1U) << text;
    return meaning_of(report, report.recipients.at(0), *Qualifier::shipped()).reason;
  };
  EXPECT_EQ(read("maildrop: maildir over quota.\n552 <kim@there.example>... Service unavailable"),
            Reason::kMailboxFull);
  EXPECT_EQ(read("deliver: mailbox full\n554 5.3.0 <kim@there.example>... unknown mailer error 75"),
            Reason::kMailboxFull);
  // The line of another, and a reply of a session, are none of its words.
  for (const char* before :
       {"lee@there.example: mailbox full", "452 lee: mailbox full", "<<< 452 mailbox full"})
    EXPECT_NE(
        diagnostic_in_text(std::string(before) + "\n554 <kim@there.example>... Service unavailable\n", ""),
        "554 <kim@there.example>... Service unavailable (" + std::string(before) + ")");
}

}  // namespace
}  // namespace bounce::report
