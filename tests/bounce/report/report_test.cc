#include "bounce/report/report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bounce/report/meaning.h"
#include "tests/bounce/report/crlf.h"

namespace bounce::report {
namespace {

std::string data(const std::string& name) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/tests/bounce/report/data/" + name,
                     std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Expected {
  const char* file;
  Kind kind;
  std::vector<std::string> recipients;
  const char* status;  // of the first
  uint16_t code;
};

const std::vector<Expected>& expectations() {
  static const std::vector<Expected> all = {
      {"mixed-actions.eml",
       Kind::kDsn,
       {"gone.now@one.example", "slow@two.example", "fine@three.example", "list@four.example"},
       "5.1.1",
       550},
      {"torn-groups.eml", Kind::kDsn, {"a@one.example", "b@two.example"}, "5.1.1", 0},
      {"utf8-report.eml", Kind::kDsn, {"j\xc3\xbcrgen@five.example"}, "5.1.1", 0},
      {"plain-colon.eml", Kind::kNonstandard, {"kim@one.example", "lee@two.example"}, "5.1.1", 550},
      {"indented-list.eml", Kind::kNonstandard, {"pat@one.example"}, "5.1.1", 550},
      {"transcript.eml", Kind::kNonstandard, {"kim@one.example"}, "5.1.1", 550},
      {"japanese.eml", Kind::kNonstandard, {"taro@mobile.example"}, "", 550},
      {"german-html.eml", Kind::kNonstandard, {"max@firma.example"}, "5.2.2", 552},
      {"complaint.eml", Kind::kFeedback, {"kim@provider.example"}, "", 0},
      {"complaint-redacted.eml", Kind::kFeedback, {"kim@provider.example"}, "", 0},
      {"vacation.eml", Kind::kAutoReply, {"kim@one.example"}, "", 0},
      {"receipt.eml", Kind::kDelivered, {"kim@one.example"}, "", 0},
      {"delay.eml", Kind::kDelayed, {"kim@one.example"}, "", 0},
      {"forwarded-report.eml", Kind::kDsn, {"kim@one.example"}, "5.1.1", 550},
      {"service-with-original.eml", Kind::kNonstandard, {"kim@mobile.example"}, "", 0},
      {"several-in-a-list.eml",
       Kind::kNonstandard,
       {"a@one.example", "b@one.example", "c@one.example", "d@one.example"},
       "",
       0},
      {"json-bounce.eml", Kind::kNonstandard, {"kim@one.example", "lee@two.example"}, "5.1.1", 550},
      {"json-delivery.eml", Kind::kDelivered, {"kim@one.example"}, "", 0},
      {"ordinary-json.eml", Kind::kNotBounce, {}, "", 0},
      {"ordinary-parcel.eml", Kind::kNotBounce, {}, "", 0},
      {"ordinary-quota.eml", Kind::kNotBounce, {}, "", 0},
      {"ordinary-statistics.eml", Kind::kNotBounce, {}, "", 0},
      {"ordinary-pasted.eml", Kind::kNotBounce, {}, "", 0},
      {"ordinary-phish.eml", Kind::kNotBounce, {}, "", 0},
      {"ordinary-question.eml", Kind::kNotBounce, {}, "", 0},
      {"ordinary-list.eml", Kind::kNotBounce, {}, "", 0},
      {"ordinary-newsletter.eml", Kind::kNotBounce, {}, "", 0},
      {"ordinary-cron.eml", Kind::kNotBounce, {}, "", 0},
  };
  return all;
}

void expect_read(const Expected& expected, const std::string& octets, const char* line_ends) {
  const Report report = read_report(octets);
  SCOPED_TRACE(std::string(expected.file) + " " + line_ends);
  EXPECT_STREQ(to_text(report.kind), to_text(expected.kind));
  std::vector<std::string> recipients;
  for (const Recipient& recipient : report.recipients) recipients.push_back(recipient.address);
  EXPECT_EQ(recipients, expected.recipients);
  if (report.recipients.empty()) return;
  EXPECT_EQ(report.recipients.front().status, expected.status);
  EXPECT_EQ(report.recipients.front().code, expected.code);
}

TEST(ReadReport, EveryClassOfReportIsReadWithBothLineEnds) {
  for (const Expected& expected : expectations()) {
    const std::string octets = data(expected.file);
    expect_read(expected, octets, "LF");
    expect_read(expected, with_crlf(octets), "CRLF");
  }
}

TEST(ReadReport, OnlyFailedRecipientsOfAMixedReportAreErrors) {
  const Report report = read_report(data("mixed-actions.eml"));
  ASSERT_EQ(report.recipients.size(), 4u);
  EXPECT_EQ(report.recipients[0].action, Action::kFailed);
  EXPECT_EQ(report.recipients[1].action, Action::kDelayed);
  EXPECT_EQ(report.recipients[2].action, Action::kRelayed);
  EXPECT_EQ(report.recipients[3].action, Action::kExpanded);
  EXPECT_EQ(meaning_of(report, report.recipients[2], *Qualifier::shipped()).type, ErrorType::kIgnored);
}

TEST(ReadReport, TheMessageThatCameBackIsNamed) {
  const Report report = read_report(data("mixed-actions.eml"));
  EXPECT_EQ(report.message_id, "m1@sender.example");
  EXPECT_EQ(report.header_token, "tok123");
  EXPECT_EQ(report.envelope_id, "order+3D17");
  EXPECT_EQ(report.reporting_mta, "mx.sender.example");
  EXPECT_EQ(report.recipients[0].original_address, "gone@one.example");
  EXPECT_EQ(report.recipients[0].remote_mta, "in.one.example");
  ASSERT_FALSE(report.return_addresses.empty());
  EXPECT_EQ(report.return_addresses.front(), "news@sender.example");
  EXPECT_EQ(read_report(data("plain-colon.eml")).message_id, "m2@sender.example");
}

TEST(ReadReport, ACodeThatRepeatsOnEveryLineStaysOnce) {
  const Report report = read_report(data("mixed-actions.eml"));
  EXPECT_EQ(report.recipients[0].diagnostic, "550 5.1.1 The account that you wrote to does not exist here");
}

TEST(ReadReport, AliasesAreOriginalRecipientsAndNoErrorsOfTheirOwn) {
  const Report report = read_report(data("indented-list.eml"));
  ASSERT_EQ(report.recipients.size(), 1u);
  EXPECT_EQ(report.recipients[0].original_address, "info@sender.example");
}

TEST(ReadReport, ATranscriptGivesTheReplyAndItsHost) {
  const Report report = read_report(data("transcript.eml"));
  ASSERT_EQ(report.recipients.size(), 1u);
  EXPECT_EQ(report.recipients[0].remote_mta, "in.one.example");
  EXPECT_NE(report.recipients[0].diagnostic.find("User unknown"), std::string::npos);
}

TEST(Meaning, AnswersOfProgramsAndReceiptsNeverCount) {
  for (const char* file : {"vacation.eml", "receipt.eml"}) {
    const Report report = read_report(data(file));
    ASSERT_EQ(report.recipients.size(), 1u) << file;
    EXPECT_EQ(meaning_of(report, report.recipients[0], *Qualifier::shipped()).type, ErrorType::kIgnored)
        << file;
  }
}

TEST(Meaning, AComplaintIsRefusedAndHard) {
  const Report report = read_report(data("complaint.eml"));
  ASSERT_EQ(report.recipients.size(), 1u);
  const Qualification meaning = meaning_of(report, report.recipients[0], *Qualifier::shipped());
  EXPECT_EQ(meaning.type, ErrorType::kHard);
  EXPECT_EQ(meaning.reason, Reason::kRefused);
  EXPECT_EQ(report.feedback_type, "abuse");
}

TEST(Meaning, NewsOfDelayIsNeverHard) {
  Report report;
  report.kind = Kind::kDelayed;
  Recipient& recipient = report.recipients.emplace_back();
  recipient.action = Action::kDelayed;
  recipient.status = "5.1.1";
  recipient.code = 550;
  recipient.diagnostic = "550 5.1.1 user unknown";
  EXPECT_NE(meaning_of(report, recipient, *Qualifier::shipped()).type, ErrorType::kHard);
}

TEST(ReadReport, CutAndEmptyMailIsNoReport) {
  EXPECT_EQ(read_report("").kind, Kind::kNotBounce);
  EXPECT_EQ(read_report("\r\n\r\n").kind, Kind::kNotBounce);
  for (const Expected& expected : expectations()) {
    const std::string octets = data(expected.file);
    for (size_t end = 0; end < octets.size(); end += 7) {
      const Report report = read_report(octets.substr(0, end));
      if (expected.kind == Kind::kNotBounce) {
        EXPECT_EQ(report.kind, Kind::kNotBounce) << expected.file << " " << end;
      }
    }
  }
}

}  // namespace
}  // namespace bounce::report
