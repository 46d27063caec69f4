#include "relay/returns/reading.h"

#include <gtest/gtest.h>

#include <string>

namespace relay::returns {
namespace {

using conf::EventKind;

constexpr int64_t kDay = 86'400'000'000;
const conf::WallTime kNow = conf::from_unix_micros(20'000 * kDay);
constexpr conf::MessageId kMessage = 0x0123456789abcdef;

conf::Mailbox mailbox(std::string_view text) {
  conf::Result<conf::Mailbox> read = conf::Mailbox::parse(text);
  EXPECT_TRUE(read.ok()) << text;
  return *read;
}

class Returned : public testing::Test {
 protected:
  Returned() {
    conf::Result<bounce::ReturnKeys> keys = bounce::ReturnKeys::make({{1, "a secret of 16 octets or more"}});
    tools.keys = std::make_shared<const bounce::ReturnKeys>(*keys);
    tools.qualifier = bounce::Qualifier::shipped();
    tools.settings.header = "X-Penstock-Token";
    conf::ReturnPathSettings path;
    path.domain = "return.example";
    tools.settings.paths.push_back(path);
  }

  bounce::ReturnToken token(std::string_view whom,
                            conf::VerpGrade grade = conf::VerpGrade::kRecipient) const {
    bounce::ReturnToken made;
    made.message = kMessage;
    made.grade = grade;
    made.whom = tools.keys->check_of(grade, mailbox(whom));
    made.expires = kNow + std::chrono::hours(7 * 24);
    return made;
  }
  std::string back(std::string_view whom, conf::VerpGrade grade = conf::VerpGrade::kRecipient) const {
    return tools.keys->local_part("bounces", token(whom, grade)) + "@return.example";
  }

  static std::string group(std::string_view recipient, std::string_view action, std::string_view status) {
    return "\r\nFinal-Recipient: rfc822; " + std::string(recipient) + "\r\nAction: " + std::string(action) +
           "\r\nStatus: " + std::string(status) + "\r\nRemote-MTA: dns; mx.far.test\r\n" +
           "Diagnostic-Code: smtp; 550 " + std::string(status) + " User unknown\r\n";
  }
  static std::string dsn(const std::string& to, const std::string& groups) {
    return "Return-Path: <>\r\nDelivered-To: " + to + "\r\nFrom: MAILER-DAEMON@mx.far.test\r\nTo: " + to +
           "\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
           "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
           "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.far.test\r\n" +
           groups + "\r\n--b--\r\n";
  }
  static std::string complaint(const std::string& to, const std::string& header) {
    return "Return-Path: <fbl@provider.test>\r\nDelivered-To: " + to +
           "\r\nFrom: fbl@provider.test\r\nTo: " + to +
           "\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
           "--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
           "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n"
           "User-Agent: x\r\n\r\n"
           "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" +
           header + "From: news@shop.test\r\nTo: redacted@provider.test\r\nSubject: News\r\n\r\n--b--\r\n";
  }

  std::vector<conf::DeliveryEvent> read(const std::string& mail) const {
    return read_returned(mail, tools, kNow);
  }

  ReadingTools tools;
};

TEST_F(Returned, ABounceNamesMessageRecipientAndReason) {
  const auto events = read(dsn(back("ann@far.test"), group("Ann@far.test", "failed", "5.1.1")));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kBounced);
  EXPECT_EQ(events[0].id, kMessage);
  EXPECT_EQ(events[0].recipient, "Ann@far.test");
  EXPECT_TRUE(events[0].confirmed);
  EXPECT_EQ(events[0].type, conf::ErrorType::kHard);
  EXPECT_EQ(events[0].reason, conf::Reason::kUserUnknown);
  EXPECT_EQ(events[0].scope, conf::Scope::kRecipient);
  EXPECT_EQ(events[0].enhanced_status, "5.1.1");
  EXPECT_EQ(events[0].mx_host, "mx.far.test");
}

TEST_F(Returned, ATokenSpeaksOfNoOtherRecipient) {
  const auto events = read(dsn(back("ann@far.test"), group("victim@far.test", "failed", "5.1.1")));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_FALSE(events[0].confirmed);
  const auto both = read(dsn(back("ann@far.test"), group("victim@far.test", "failed", "5.1.1") +
                                                       group("ann@far.test", "failed", "5.1.1")));
  ASSERT_EQ(both.size(), 1U) << "what else it claims is noise";
  EXPECT_EQ(both[0].recipient, "ann@far.test");
}

TEST_F(Returned, ATokenOfADomainSpeaksOfThatDomain) {
  const auto events =
      read(dsn(back("ann@far.test", conf::VerpGrade::kDomain),
               group("bob@far.test", "failed", "5.1.1") + group("eve@other.test", "failed", "5.1.1")));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_TRUE(events[0].confirmed);
  EXPECT_FALSE(events[1].confirmed);
}

TEST_F(Returned, ATokenOfAMessageConfirmsNobody) {
  const auto events =
      read(dsn(back("ann@far.test", conf::VerpGrade::kMessage), group("ann@far.test", "failed", "5.1.1")));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kBounced);
  EXPECT_EQ(events[0].id, kMessage);
  EXPECT_FALSE(events[0].confirmed);
}

TEST_F(Returned, WithoutAGoodTokenNothingIsBelieved) {
  std::string forged = back("ann@far.test");
  forged[10] = forged[10] == 'a' ? 'b' : 'a';
  tools.settings.header.clear();
  const std::string groups = group("ann@far.test", "failed", "5.1.1");
  for (const auto& [to, why] :
       {std::pair(forged, "its token is not one of ours"),
        std::pair(std::string("bounces@return.example"), "it brings no token of ours back")}) {
    const auto events = read(dsn(to, groups));
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, EventKind::kUnmatched);
    EXPECT_EQ(events[0].reply, why);
    EXPECT_FALSE(events[0].confirmed);
  }
  const auto late =
      read_returned(dsn(back("ann@far.test"), groups), tools, kNow + std::chrono::hours(9 * 24));
  EXPECT_EQ(late.at(0).reply, "its token has expired");
}

TEST_F(Returned, ATokenInAnUpperCasedAddressStillCounts) {
  std::string to = back("ann@far.test");
  for (char& c : to) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_TRUE(read(dsn(to, group("ann@far.test", "failed", "5.1.1"))).at(0).confirmed);
}

TEST_F(Returned, DelayAndGoodNewsAreNoBounces) {
  EXPECT_EQ(read(dsn(back("ann@far.test"), group("ann@far.test", "delayed", "4.4.1"))).at(0).kind,
            EventKind::kDelayedReport);
  EXPECT_EQ(read(dsn(back("ann@far.test"), group("ann@far.test", "delivered", "2.0.0"))).at(0).kind,
            EventKind::kDeliveredReport);
}

TEST_F(Returned, ARedactedComplaintIsMatchedByTheFieldInTheHeader) {
  const std::string field =
      "X-Penstock-Token: " +
      tools.keys->field_value(token("ann@provider.test"), mailbox("ann@provider.test")) + "\r\n";
  const auto events = read(complaint("fbl@return.example", field));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kComplained);
  EXPECT_EQ(events[0].recipient, "ann@provider.test");
  EXPECT_TRUE(events[0].confirmed);
  EXPECT_EQ(read(complaint("fbl@return.example", "")).at(0).kind, EventKind::kUnmatched);
}

TEST_F(Returned, AnAnswerOfAProgramIsIgnored) {
  const std::string to = back("ann@far.test");
  const auto events =
      read("Return-Path: <>\r\nFrom: ann@far.test\r\nTo: " + to +
           "\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kAutoReply);
  EXPECT_EQ(events[0].type, conf::ErrorType::kIgnored);
}

TEST_F(Returned, OrdinaryMailIsKeptForPeople) {
  const auto events = read("From: ann@far.test\r\nTo: " + back("ann@far.test") +
                           "\r\nSubject: a question\r\n\r\nWhere is my order?\r\n");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kUnmatched);
  EXPECT_EQ(events[0].reply, "it is no report");
}

}  // namespace
}  // namespace relay::returns
