// What we write in a report we read in it.
#include <gtest/gtest.h>

#include "bounce/dsn.h"
#include "bounce/report/report.h"

namespace bounce {
namespace {

DsnRecipient recipient(const char* local, DsnAction action, const char* status, uint16_t code,
                       const char* diagnostic) {
  DsnRecipient out;
  out.recipient.mailbox = {local, conf::Domain::from_canonical("example.net")};
  out.recipient.orcpt = std::string("rfc822;") + local + ".alias@example.org";
  out.action = action;
  out.status = status;
  out.reply_code = code;
  out.diagnostic = diagnostic;
  out.remote_mta = "mx.example.net";
  out.last_attempt = conf::from_unix_micros(1'795'515'385'000'000);
  out.retry_until = conf::from_unix_micros(1'795'915'385'000'000);
  return out;
}

DsnInput input() {
  DsnInput in;
  in.original_id = 1;
  in.to = {"a", conf::Domain::from_canonical("example.com")};
  in.envid = "order 7+x";
  in.arrival = in.now = conf::from_unix_micros(1'795'515'400'000'000);
  in.reporting_mta = "relay.example.com";
  in.from = "postmaster@relay.example.com";
  in.message_id_token = "token-1";
  in.original =
      "From: a@example.com\r\nMessage-ID: <1.2@example.com>\r\nX-Penstock-Token: abc\r\n\r\nbody\r\n";
  return in;
}

void expect_same(const DsnRecipient& written, const report::Recipient& read, report::Action action) {
  EXPECT_EQ(read.address, written.recipient.mailbox.text());
  EXPECT_EQ(read.original_address, written.recipient.orcpt.substr(7));
  EXPECT_EQ(read.action, action);
  EXPECT_EQ(read.status, written.status);
  EXPECT_EQ(read.code, written.reply_code >= 400 ? written.reply_code : 0);  // it says why it failed
  EXPECT_NE(read.diagnostic.find(written.diagnostic), std::string::npos) << read.diagnostic;
  EXPECT_EQ(read.remote_mta, written.remote_mta);
}

TEST(OwnReport, OneOfADelayIsReadWithoutLoss) {
  DsnInput in = input();
  in.recipients.push_back(recipient("b", DsnAction::kDelayed, "4.2.2", 452, "4.2.2 mailbox full"));
  in.recipients.push_back(recipient("c", DsnAction::kDelayed, "4.4.1", 0, "no route to host"));
  const std::string mail = make_dsn(in);
  const report::Report read = report::read_report(mail);
  EXPECT_EQ(read.kind, report::Kind::kDelayed);
  EXPECT_EQ(read.envelope_id, in.envid);
  EXPECT_EQ(read.reporting_mta, in.reporting_mta);
  EXPECT_EQ(read.message_id, "1.2@example.com");
  EXPECT_EQ(read.header_token, "abc");
  ASSERT_EQ(read.recipients.size(), 2U);
  for (size_t i = 0; i < 2; ++i) expect_same(in.recipients[i], read.recipients[i], report::Action::kDelayed);
  EXPECT_NE(mail.find("\r\nWill-Retry-Until: "), std::string::npos);
}

TEST(OwnReport, OneOfSeveralActionsIsReadWithoutLoss) {
  DsnInput in = input();
  in.recipients.push_back(recipient("b", DsnAction::kFailed, "5.1.1", 550, "5.1.1 no such user"));
  in.recipients.push_back(recipient("c", DsnAction::kDelayed, "4.3.1", 452, "4.3.1 disk full"));
  in.recipients.push_back(recipient("d", DsnAction::kRelayed, "2.0.0", 250, "2.0.0 ok"));
  const std::string mail = make_dsn(in);
  const report::Report read = report::read_report(mail);
  EXPECT_EQ(read.kind, report::Kind::kDsn);
  ASSERT_EQ(read.recipients.size(), 3U);
  expect_same(in.recipients[0], read.recipients[0], report::Action::kFailed);
  expect_same(in.recipients[1], read.recipients[1], report::Action::kDelayed);
  expect_same(in.recipients[2], read.recipients[2], report::Action::kRelayed);
  // RFC 3464 §2.3.9: of the delayed recipient only.
  EXPECT_EQ(mail.find("Will-Retry-Until"), mail.rfind("Will-Retry-Until"));
}

TEST(OwnReport, AReplyInAnyLanguageIsReadWithoutLoss) {
  for (const bool utf8 : {false, true}) {
    DsnInput in = input();
    in.smtputf8 = utf8;
    in.recipients.push_back(recipient("b", DsnAction::kFailed, "5.1.1", 550,
                                      "5.1.1 Benutzer unbekannt: Gr\xc3\xb6\xc3\x9f"
                                      "e \xc3\x84\xc3\x96 \xe6\xb2\xa1\xe6\x9c\x89 no one"));
    const report::Report read = report::read_report(make_dsn(in));
    ASSERT_EQ(read.recipients.size(), 1U);
    expect_same(in.recipients[0], read.recipients[0], report::Action::kFailed);
    EXPECT_NE(read.notice.find("Gr\xc3\xb6\xc3\x9f"), std::string::npos) << read.notice;
  }
}

}  // namespace
}  // namespace bounce
