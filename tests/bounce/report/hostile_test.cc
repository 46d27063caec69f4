// Mail made to hurt: each must be read in bounded time and memory, and give no more than the limits allow.
#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <vector>

#include "bounce/report/diagnostic_text.h"
#include "bounce/report/html_text.h"
#include "bounce/report/mime_reader.h"
#include "bounce/report/report.h"
#include "bounce/report/text_recipients.h"

namespace bounce::report {
namespace {

// Generous: a slow machine under a sanitizer still passes, quadratic work does not.
constexpr std::clock_t kEnough = 20 * CLOCKS_PER_SEC;  // of CPU, whatever else runs

Report read_in_time(const std::string& mail) {
  const std::clock_t begin = std::clock();
  Report report = read_report(mail);
  EXPECT_LT(std::clock() - begin, kEnough);
  return report;
}

std::string report_head(const std::string& boundary) {
  return "Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nTo: a@b.example\nSubject: failure notice\n"
         "Content-Type: multipart/report; report-type=delivery-status; boundary=" +
         boundary + "\n\n";
}

TEST(HostileMail, PartsNestedAThousandDeepAreReadToTheLimit) {
  std::string mail = report_head("b0");
  for (int i = 0; i < 1000; ++i) {
    mail += "--b" + std::to_string(i) + "\nContent-Type: multipart/mixed; boundary=b" +
            std::to_string(i + 1) + "\n\n";
  }
  read_in_time(mail);
  EXPECT_TRUE(read_mail(mail).bounded);
  EXPECT_LE(read_mail(mail).parts.size(), ReadLimits().parts);
}

TEST(HostileMail, MessagesNestedAThousandDeepAreReadToTheLimit) {
  std::string mail;
  for (int i = 0; i < 1000; ++i) mail += "From: a@b.example\nContent-Type: message/rfc822\n\n";
  read_in_time(mail);
}

TEST(HostileMail, AHundredThousandPartsAreReadToTheLimit) {
  std::string mail = report_head("b");
  for (int i = 0; i < 100'000; ++i) mail += "--b\nContent-Type: message/rfc822\n\nFrom: x@y.example\n\n";
  read_in_time(mail);
  EXPECT_LE(read_mail(mail).parts.size(), ReadLimits().parts);
}

TEST(HostileMail, AHeaderOfAMillionFieldsIsReadToTheLimit) {
  std::string mail;
  for (int i = 0; i < 1'000'000; ++i) mail += "X: y\n";
  mail += "\nbody\n";
  EXPECT_EQ(read_in_time(mail).kind, Kind::kNotBounce);
  EXPECT_LE(read_mail(mail).parts[0].fields.size(), ReadLimits().fields);
}

TEST(HostileMail, AFieldOfTenMegabytesAndItsFoldsAreLetBe) {
  std::string mail = "Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nSubject:";
  for (int i = 0; i < 1'000'000; ++i) mail += " =?utf-8?q?a?=\n";
  mail += "\nbody\n";
  read_in_time(mail);
}

TEST(HostileMail, Base64AndCharsetBombsAreCut) {
  std::string mail =
      "Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nSubject: failure notice\n"
      "Content-Type: text/plain; charset=utf-7\nContent-Transfer-Encoding: base64\n\n";
  for (int i = 0; i < 500'000; ++i) mail += "////////////////////////////////////////\n";
  read_in_time(mail);
  std::string escapes =
      "Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nSubject: failure notice\n"
      "Content-Type: text/plain; charset=iso-2022-jp\n\n";
  for (int i = 0; i < 1'000'000; ++i) escapes += "\x1b$B\x1b(B\xff";
  read_in_time(escapes);
}

TEST(HostileMail, FiftyThousandRecipientsAreReadAndNoMore) {
  std::string mail =
      report_head("b") + "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n";
  for (int i = 0; i < 60'000; ++i) {
    mail +=
        "Final-Recipient: rfc822; u" + std::to_string(i) + "@one.example\nAction: failed\nStatus: 5.1.1\n\n";
  }
  mail += "--b--\n";
  EXPECT_EQ(read_in_time(mail).recipients.size(), kRecipientLimit);
}

// A guess tries many charsets, and each of them is opened once.
TEST(HostileMail, TextsWithoutALabelCostLittle) {
  std::string mail =
      report_head("b") + "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n";
  for (int i = 0; i < 50'000; ++i) {
    mail += "Final-Recipient: rfc822; u" + std::to_string(i) +
            "@one.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 \xe0\xe4\xf0\xe5\xf1 " +
            std::to_string(i) + "\n\n";
  }
  const Report report = read_in_time(mail + "--b--\n");
  ASSERT_EQ(report.recipients.size(), 50'000U);
  EXPECT_EQ(report.recipients.back().diagnostic, "550 адрес 49999");
}

std::string status_of(const std::string& fields) {
  return report_head("b") + "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n" +
         "Final-Recipient: rfc822; u@b.example\nAction: failed\nStatus: 5.1.1\n" + fields + "\n--b--\n";
}

TEST(HostileMail, ADiagnosticIsBoundedOnOneLineAndInMany) {
  constexpr size_t kMost = 8193;
  std::string one = "Diagnostic-Code: smtp; ";
  std::string many;
  for (int i = 0; i < 500'000; ++i) {
    one += "550 5.1.1 x ";
    many += "Diagnostic-Code: smtp; 550 5.1.1 x\n";
  }
  for (const std::string& fields : {one + "\n", many}) {
    const Report report = read_in_time(status_of(fields));
    ASSERT_EQ(report.recipients.size(), 1u);
    EXPECT_LE(report.recipients[0].diagnostic.size(), kMost);
    EXPECT_EQ(report.recipients[0].diagnostic.substr(0, 11), "550 5.1.1 x");
  }
  const Report long_path =
      read_in_time(status_of("Original-Envelope-Id: " + std::string(5'000'000, 'x') + "\n"));
  EXPECT_LE(long_path.envelope_id.size(), kMost);
}

TEST(HostileMail, ACodeThatIsRepeatedWithoutEndIsTakenOutInOnePass) {
  std::string text = "550 5.1.1";
  for (int i = 0; i < 500'000; ++i) text += " 550-5.1.1 x";
  const std::clock_t begin = std::clock();
  EXPECT_EQ(clean_diagnostic(text).size(), 9u + 2 * 500'000);
  EXPECT_LT(std::clock() - begin, kEnough);
  EXPECT_EQ(clean_diagnostic("smtp; 550-5.1.1 no 550-5.1.1 550 5.1.1 such 550 user 550"),
            "550 5.1.1 no such 550 user 550");
}

TEST(HostileMail, AddressesWithoutEndInAFreeTextAreBounded) {
  std::string mail =
      "Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nSubject: failure notice\n\nCould not be delivered "
      "to:\n";
  for (int i = 0; i < 200'000; ++i) mail += "<u" + std::to_string(i) + "@one.example>:\n";
  read_in_time(mail);
  read_in_time("Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nSubject: failure notice\n\n" +
               std::string(5'000'000, '@'));
  read_in_time("Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nSubject: failure notice\n\n" +
               std::string(5'000'000, 'a') + "@b.example");
}

// A notice that names an address on every line, and gives no reason for any.
std::string lines_without_reason() {
  std::string mail =
      "Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nSubject: failure notice\n"
      "Content-Type: text/plain; x=\"multipart/report\"\n\nDelivery failed for these:\n";
  for (int i = 0; i < 1990; ++i) mail += "To: u" + std::to_string(i * 3 % 150) + "@b.example\n";
  return mail;
}

TEST(HostileMail, AddressesThatAreRepeatedOnEveryLineCostLittle) {
  std::string mail = "From: ann@x.example\nContent-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 60; ++i)
    mail += "--b\nContent-Type: message/rfc822\n\n" + lines_without_reason() + "\n";
  EXPECT_EQ(read_in_time(mail + "--b--\n").kind, Kind::kNotBounce);
  for (int i = 0; i < 20; ++i) read_in_time(lines_without_reason());
}

TEST(HostileMail, AReasonIsLookedForInSomeLinesAndPlacesOnly) {
  const auto said = [](const std::string& text) {
    const std::vector<Recipient> named = recipients_in_text("Delivery failed for these:\n" + text, {});
    return named.size() == 1 ? named.front().diagnostic : std::to_string(named.size()) + " recipients";
  };
  const auto fields = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "Subject: a word\n";
    return text;
  };
  const std::string reason = "550 no such user\n";
  EXPECT_EQ(said("To: u@b.example\n" + fields(20) + reason), "550 no such user");
  EXPECT_EQ(said("To: u@b.example\n" + fields(60) + reason), "");
  const auto repeated = [&](int count) {
    std::string text = "To: u@b.example\n";
    for (int i = 0; i < count; ++i) text += fields(50) + "To: u@b.example\n";
    return text + reason;
  };
  EXPECT_EQ(said(repeated(3)), "550 no such user");
  EXPECT_EQ(said(repeated(4)), "");
}

TEST(HostileMail, OfForwardedMessagesAFewAreRead) {
  const std::string other =
      "--b\nContent-Type: message/rfc822\n\nSubject: what is a multipart/report?\n\nI ask.\n";
  const std::string report = "--b\nContent-Type: message/rfc822\n\n" + report_head("r") +
                             "--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
                             "Final-Recipient: rfc822; u@b.example\nAction: failed\nStatus: 5.1.1\n\n--r--\n";
  const auto kind = [&](int others) {
    std::string mail = "From: ann@x.example\nContent-Type: multipart/mixed; boundary=b\n\n";
    for (int i = 0; i < others; ++i) mail += other;
    return read_in_time(mail + report + "--b--\n").kind;
  };
  EXPECT_EQ(kind(3), Kind::kDsn);
  EXPECT_EQ(kind(4), Kind::kNotBounce);
}

TEST(HostileMail, HtmlWithoutEndsIsLinear) {
  const std::clock_t begin = std::clock();
  html_to_text(std::string(2'000'000, '<'));
  html_to_text(std::string(2'000'000, '&'));
  EXPECT_LT(std::clock() - begin, kEnough);
}

}  // namespace
}  // namespace bounce::report
