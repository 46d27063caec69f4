#include "relay/returns/reading.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/vocab/ascii.h"

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
    made.whom = tools.keys->check_of(made, mailbox(whom));
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

TEST_F(Returned, WhoListsManyBesideTheRecipientOfATokenIsNotHeard) {
  const auto events_after = [&](int others) {
    std::string groups;
    for (int i = 0; i < others; ++i)
      groups += group("u" + std::to_string(i) + "@far.test", "failed", "5.1.1");
    return read(dsn(back("ann@far.test"), groups + group("ann@far.test", "failed", "5.1.1")));
  };
  EXPECT_TRUE(events_after(7).at(0).confirmed);
  EXPECT_FALSE(events_after(8).at(0).confirmed);
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
    EXPECT_EQ(events[0].forged, to == forged);
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

TEST_F(Returned, TheFieldInTheHeaderSpeaksOfTheBlockThatNamesItsRecipient) {
  const std::string original =
      "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nX-Penstock-Token: " +
      tools.keys->field_value(token("ann@far.test"), mailbox("ann@far.test")) +
      "\r\nFrom: news@shop.test\r\nTo: ann@far.test\r\nSubject: News\r\n\r\n--b--\r\n";
  const auto with_field = [&](const std::string& groups) {
    std::string mail = dsn("fbl@return.example", groups);
    mail.resize(mail.size() - std::string_view("--b--\r\n").size());
    return read(mail + original);
  };
  const std::string dead = group("archive@other.test", "failed", "5.1.1");
  auto events = with_field(dead + group("Ann@far.test", "delivered", "2.0.0"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kDeliveredReport);
  EXPECT_TRUE(events[0].confirmed);

  events = with_field(dead);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].recipient, "archive@other.test");
  EXPECT_FALSE(events[0].confirmed) << "the target of a forward is dead, not who forwards";

  for (const std::string& block : {group("Ann@far.test", "failed", "5.1.1"), group("", "failed", "5.1.1")}) {
    events = with_field(block);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, EventKind::kBounced) << block;
    EXPECT_EQ(events[0].recipient, "ann@far.test") << block;
    EXPECT_TRUE(events[0].confirmed) << block;
  }
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

TEST_F(Returned, TheRecipientWhoAnswersHasTheMessage) {
  const auto from = [&](const std::string& writer) {
    return read("Return-Path: <>\r\nFrom: " + writer + "\r\nTo: " + back("ann@far.test") +
                "\r\nSubject: Mail delivery failed\r\nContent-Type: multipart/mixed; boundary=w\r\n\r\n"
                "--w\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered:\r\n\r\n"
                "<ann@far.test>: 550 5.1.1 user unknown\r\n"
                "--w\r\nContent-Type: message/rfc822\r\n\r\nFrom: news@shop.test\r\nTo: list@far.test\r\n"
                "Message-ID: <1@shop.test>\r\n\r\nHello\r\n--w--\r\n")
        .at(0);
  };
  EXPECT_EQ(from("MAILER-DAEMON@far.test").kind, EventKind::kBounced);
  EXPECT_EQ(from("robot@far.test").kind, EventKind::kBounced);
  const conf::DeliveryEvent answer = from("Ann <Ann@far.test>");
  EXPECT_EQ(answer.kind, EventKind::kAutoReply);
  EXPECT_EQ(answer.type, conf::ErrorType::kIgnored);
}

TEST_F(Returned, OrdinaryMailIsKeptForPeople) {
  const auto events = read("From: ann@far.test\r\nTo: " + back("ann@far.test") +
                           "\r\nSubject: a question\r\n\r\nWhere is my order?\r\n");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kUnmatched);
  EXPECT_EQ(events[0].reply, "it is no report");
}

// Remembers what the test says.
class Remembered final : public bounce::SentMemory {
 public:
  using Found = std::optional<bounce::SentMail>;
  template <typename Fits>
  Found first(const Fits& fits) const {
    for (const bounce::SentMail& each : mails)
      if (fits(each)) return each;
    return std::nullopt;
  }
  Found find(uint64_t message, std::string_view to) override {
    return first([&](const auto& m) { return m.message == message && m.recipient == conf::ascii_lower(to); });
  }
  Found of_message(uint64_t message) override {
    return first([&](const auto& m) { return m.message == message; });
  }
  Found fitting(uint64_t message, const Fits& fits) override {
    return first([&](const auto& m) { return m.message == message && fits(m.recipient); });
  }
  Found with_id(std::string_view id, std::string_view to, conf::WallTime after) override {
    return first([&](const auto& m) {
      return m.at > after && m.header->message_id == id && m.recipient == conf::ascii_lower(to);
    });
  }
  Found with_id(std::string_view id, conf::WallTime after, bool* alone) override {
    size_t count = 0;
    for (const bounce::SentMail& each : mails) count += each.at > after && each.header->message_id == id;
    *alone = count == 1;
    return first([&](const auto& m) { return m.at > after && m.header->message_id == id; });
  }
  Found latest_to(std::string_view to, conf::WallTime after) override {
    return first([&](const auto& m) { return m.at > after && m.recipient == conf::ascii_lower(to); });
  }
  std::vector<bounce::SentMail> mails;
};

class WithoutToken : public Returned {
 protected:
  WithoutToken() {
    tools.sent = &sent;
    remember(7, "ann@far.test", "7@shop.test");
  }
  void remember(uint64_t message, const std::string& to, const std::string& message_id) {
    bounce::SentMail mail;
    mail.message = message;
    mail.at = kNow - std::chrono::hours(24);
    mail.recipient = to;
    mail.sender = "news@shop.test";
    mail.user = "tenant";
    mail.site = "mx.far.test";
    mail.source = "default";
    mail.stream = "newsletter";
    mail.envid = "order 7";
    conf::LoggedHeader header;
    header.message_id = message_id;
    header.fields = {{"X-Campaign", "spring"}};
    mail.header = std::make_shared<const conf::LoggedHeader>(header);
    sent.mails.push_back(std::move(mail));
  }
  // A bounce of the recipient, which returns the header of the message.
  static std::string bounce(const std::string& whom, const std::string& message_id) {
    std::string mail = dsn("news@shop.test", group(whom, "failed", "5.1.1"));
    if (message_id.empty()) return mail;
    mail.insert(mail.rfind("--b--"), "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <" +
                                         message_id + ">\r\nSubject: News\r\n\r\n");
    return mail;
  }
  Remembered sent;
};

TEST_F(WithoutToken, ABounceIsMatchedByTheMessageIdThatItReturns) {
  remember(8, "ann@far.test", "8@shop.test");
  const auto events = read(bounce("Ann@far.test", "8@shop.test"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kBounced);
  EXPECT_EQ(events[0].id, 8U);
  EXPECT_EQ(events[0].recipient, "ann@far.test");
  EXPECT_EQ(events[0].matched, conf::MatchedBy::kMessageId);
  EXPECT_TRUE(events[0].confirmed);
  EXPECT_EQ(events[0].reverse_path, "news@shop.test");
  EXPECT_EQ(events[0].site, "mx.far.test");
  EXPECT_EQ(events[0].envid, "order 7");
  ASSERT_NE(events[0].header, nullptr);
  EXPECT_EQ(events[0].header->fields[0].second, "spring");
}

// The token says the message; who sent it and how it left is remembered.
TEST_F(WithoutToken, AReportWithATokenNamesItsMessageAsFarAsItIsRemembered) {
  sent.mails[0].message = 0x1234'5678'9abc;
  sent.mails[0].with_token = true;
  auto events = read(dsn(back("ann@far.test"), group("ann@far.test", "failed", "5.1.1")));
  ASSERT_EQ(events.size(), 1U);
  ASSERT_EQ(events[0].matched, conf::MatchedBy::kToken);
  sent.mails[0].message = events[0].id;  // whatever it is in these tests
  for (const char* whom : {"ann@far.test", "someone@else.test"}) {
    events = read(dsn(back("ann@far.test"), group(whom, "failed", "5.1.1")));
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].reverse_path, "news@shop.test") << whom;
    EXPECT_EQ(events[0].auth, "tenant") << whom;
    EXPECT_EQ(events[0].envid, "order 7") << whom;
    ASSERT_NE(events[0].header, nullptr) << whom;
    EXPECT_EQ(events[0].header->message_id, "7@shop.test") << whom;
    const bool same = std::string(whom) == "ann@far.test";
    EXPECT_EQ(events[0].site, same ? "mx.far.test" : "") << "of that recipient alone";
    EXPECT_EQ(events[0].source, same ? "default" : "");
    EXPECT_EQ(events[0].stream, "newsletter") << "of the message, whomever it names: " << whom;
  }
}

// Anybody who knows an address can write these.
TEST_F(WithoutToken, WhatIsMatchedByItsRecipientAloneIsShownAndNeverCounts) {
  auto events = read(bounce("ann@far.test", ""));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kBounced);
  EXPECT_EQ(events[0].id, 7U);
  EXPECT_EQ(events[0].matched, conf::MatchedBy::kRecipient);
  EXPECT_FALSE(events[0].confirmed);
  EXPECT_FALSE(read(bounce("ann@far.test", "made up@shop.test")).at(0).confirmed);
  std::string mail = complaint("fbl@return.example", "");
  mail.insert(mail.find("User-Agent: x"), "Original-Rcpt-To: ann@far.test\r\n");
  events = read(mail);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kComplained);
  EXPECT_EQ(events[0].recipient, "ann@far.test");
  EXPECT_FALSE(events[0].confirmed);
  mail.insert(mail.find("From: news@shop.test"), "Message-ID: <7@shop.test>\r\n");
  EXPECT_TRUE(read(mail).at(0).confirmed);
}

TEST_F(WithoutToken, ATokenOfADomainSpeaksOfThoseThatTheMessageWasSentTo) {
  remember(kMessage, "bob@far.test", "9@shop.test");
  remember(kMessage, "eve@other.test", "9@shop.test");
  sent.mails[1].with_token = sent.mails[2].with_token = true;
  const auto events =
      read(dsn(back("bob@far.test", conf::VerpGrade::kDomain),
               group("Bob@far.test", "failed", "5.1.1") + group("eve@other.test", "failed", "5.1.1") +
                   group("ann@far.test", "failed", "5.1.1") + group("victim@far.test", "failed", "5.1.1")));
  ASSERT_EQ(events.size(), 4U);
  EXPECT_TRUE(events[0].confirmed);
  EXPECT_FALSE(events[1].confirmed) << "of another domain";
  EXPECT_FALSE(events[2].confirmed) << "of another message";
  EXPECT_FALSE(events[3].confirmed) << "never written to";
  tools.sent = nullptr;
  EXPECT_FALSE(
      read(dsn(back("bob@far.test", conf::VerpGrade::kDomain), group("bob@far.test", "failed", "5.1.1")))
          .at(0)
          .confirmed);
}

// The token of a recipient says whom a report is about that names no mailbox, or hides it.
TEST_F(WithoutToken, AReportThatNamesNobodyIsOfTheOneWhomItsTokenWasMadeFor) {
  remember(kMessage, "bob@far.test", "9@shop.test");
  remember(kMessage, "eve@far.test", "9@shop.test");
  const std::string to = back("eve@far.test");
  std::string local = dsn(to, group("x", "failed", "5.1.1"));
  local.replace(local.find("rfc822; x"), 9, "local; eve");
  const std::string text =
      "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.far.test\r\nTo: " + to +
      "\r\nSubject: Undelivered mail\r\n\r\nIt was refused:\r\n550 5.1.1 user unknown\r\n";
  const std::string by_path = complaint("fbl@return.example", "Return-Path: <" + to + ">\r\n");
  std::string by_report = complaint("fbl@return.example", "");
  by_report.insert(by_report.find("User-Agent: x"), "Original-Mail-From: <" + to + ">\r\n");
  for (const std::string& mail : {local, text, by_path, by_report}) {
    SCOPED_TRACE(mail);
    const auto events = read(mail);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].id, kMessage);
    EXPECT_EQ(events[0].recipient, "eve@far.test");
    EXPECT_TRUE(events[0].confirmed);
  }
  EXPECT_FALSE(read(dsn(to, group("dead@far.test", "failed", "5.1.1"))).at(0).confirmed) << "names another";
  EXPECT_FALSE(
      read(dsn(back("eve@far.test", conf::VerpGrade::kDomain), group("", "failed", "5.1.1"))).at(0).confirmed)
      << "the token of a domain is everybody's there";
  sent.mails.pop_back();
  for (const std::string& mail : {local, text, by_path, by_report}) {
    const auto events = read(mail);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].id, kMessage) << "the message is known all the same";
    EXPECT_FALSE(events[0].confirmed) << "it is not remembered";
  }
}

TEST_F(WithoutToken, AnAddressThatWeDidNotWriteToLatelyIsNeverConfirmed) {
  auto events = read(bounce("bob@far.test", ""));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kUnmatched);
  events = read(bounce("bob@far.test", "7@shop.test"));  // of the message to Ann: forwarded, or a lie
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].id, 7U);
  EXPECT_FALSE(events[0].confirmed);
  sent.mails[0].at = kNow - tools.settings.life - std::chrono::seconds(1);
  events = read(bounce("ann@far.test", "7@shop.test"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kUnmatched) << "it was sent too long ago";
}

TEST_F(WithoutToken, MailThatWentOutWithATokenIsOnlyShown) {
  sent.mails[0].with_token = true;
  ASSERT_EQ(read(bounce("ann@far.test", "7@shop.test"))[0].kind, EventKind::kUnmatched)
      << "and only by choice";
  tools.settings.remember_signed = true;
  const auto events = read(bounce("ann@far.test", "7@shop.test"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kBounced);
  EXPECT_EQ(events[0].id, 7U);
  EXPECT_FALSE(events[0].confirmed);
}

TEST_F(WithoutToken, ByChoiceItIsOnlyShownOrUnmatched) {
  tools.settings.unsigned_reports = conf::UnsignedReports::kShow;
  auto events = read(bounce("ann@far.test", "7@shop.test"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kBounced);
  EXPECT_FALSE(events[0].confirmed);
  tools.settings.unsigned_reports = conf::UnsignedReports::kOff;
  events = read(bounce("ann@far.test", "7@shop.test"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kUnmatched);
}

TEST_F(WithoutToken, AForgedTokenIsNotHelpedByAMessageId) {
  std::string forged = back("ann@far.test");
  forged[20] = forged[20] == 'a' ? 'b' : 'a';
  std::string mail = bounce("ann@far.test", "7@shop.test");
  for (size_t at = 0; (at = mail.find("news@shop.test")) != std::string::npos;)
    mail.replace(at, sizeof("news@shop.test") - 1, forged);
  const auto events = read(mail);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kUnmatched);
}

TEST_F(WithoutToken, OfSeveralRecipientsTheUnknownOnesAreLeftForPeople) {
  const auto events = read(dsn(
      "news@shop.test", group("ann@far.test", "failed", "5.1.1") + group("bob@far.test", "failed", "5.1.1")));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, EventKind::kBounced);
  EXPECT_EQ(events[1].kind, EventKind::kUnmatched);
}

TEST_F(WithoutToken, AComplaintThatBlackensTheAddressIsOfTheOneThatTheMessageWentTo) {
  auto events = read(complaint("news@shop.test", "Message-ID: <7@shop.test>\r\n"));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, EventKind::kComplained);
  EXPECT_EQ(events[0].id, 7U);
}

}  // namespace
}  // namespace relay::returns
