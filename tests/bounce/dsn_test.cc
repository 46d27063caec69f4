#include "bounce/dsn.h"

#include <gtest/gtest.h>

#include "bounce/dsn_original.h"
#include "bounce/dsn_text.h"

namespace bounce {
namespace {

conf::Mailbox mailbox(std::string local, std::string domain) {
  return {std::move(local), conf::Domain::from_canonical(std::move(domain))};
}

DsnRecipient failed() {
  DsnRecipient out;
  out.recipient = {mailbox("b", "example.net"), conf::kNotifyDefault, "rfc822;B+x@example.net"};
  out.status = "5.1.1";
  out.reply_code = 550;
  out.diagnostic = "5.1.1 no such user";
  out.remote_mta = "mx.example.net";
  out.last_attempt = conf::from_unix_micros(1'795'515'385'000'000);
  return out;
}

DsnInput input() {
  DsnInput in;
  in.original_id = 1;
  in.to = mailbox("a", "example.com");
  in.envid = "QQ314";
  in.arrival = conf::from_unix_micros(1'795'515'300'000'000);
  in.now = conf::from_unix_micros(1'795'515'400'000'000);
  in.reporting_mta = "relay.example.com";
  in.from = "postmaster@relay.example.com";
  in.message_id_token = "token-1";
  in.recipients.push_back(failed());
  in.original = "From: a@example.com\r\nSubject: hi\r\n\r\nsecret body\r\n";
  return in;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// CRLF only, lines of at most 998 octets, the closing boundary at the end.
void expect_well_formed(const std::string& dsn) {
  size_t line = 0;
  for (size_t i = 0; i < dsn.size(); ++i) {
    if (dsn[i] == '\n') {
      ASSERT_TRUE(i > 0 && dsn[i - 1] == '\r') << "bare LF at " << i;
      line = 0;
      continue;
    }
    if (dsn[i] == '\r') {
      ASSERT_TRUE(i + 1 < dsn.size() && dsn[i + 1] == '\n') << "bare CR at " << i;
      continue;
    }
    ASSERT_LE(++line, 998u);
  }
  ASSERT_EQ(dsn.substr(dsn.size() - 4), "--\r\n");
}

TEST(Dsn, Rfc3464_2_Fields) {
  const std::string dsn = make_dsn(input());
  expect_well_formed(dsn);
  for (const char* part : {
           "From: Mail delivery system <postmaster@relay.example.com>\r\n",
           "To: <a@example.com>\r\n",
           "Message-ID: <token-1@relay.example.com>\r\n",
           "Auto-Submitted: auto-replied\r\n",
           "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"=_token-1_0\"\r\n",
           "Content-Type: message/delivery-status\r\n",
           "Original-Envelope-Id: QQ314\r\n",
           "Reporting-MTA: dns; relay.example.com\r\n",
           "Original-Recipient: rfc822; B+x@example.net\r\n",
           "Final-Recipient: rfc822; b@example.net\r\n",
           "Action: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example.net\r\n",
           "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n",
           "    mx.example.net said: 550 5.1.1 no such user\r\n",
           "Content-Type: text/rfc822-headers\r\n",
           "Subject: hi\r\n",
       }) {
    EXPECT_TRUE(has(dsn, part)) << part << "\n" << dsn;
  }
  EXPECT_FALSE(has(dsn, "secret body"));
  EXPECT_FALSE(has(dsn, "8bit"));
}

TEST(Dsn, Rfc3461_4_3_RetFullIsForFailuresOnly) {
  DsnInput in = input();
  in.ret = conf::Ret::kFull;
  EXPECT_TRUE(has(make_dsn(in), "Content-Type: message/rfc822\r\n"));
  EXPECT_TRUE(has(make_dsn(in), "secret body"));
  for (const DsnAction action : {DsnAction::kDelayed, DsnAction::kRelayed, DsnAction::kDelivered}) {
    in.recipients[0].action = action;
    EXPECT_FALSE(has(make_dsn(in), "secret body"));
  }
}

TEST(Dsn, Rfc3464_2_3_3_Actions) {
  struct Case {
    DsnAction action;
    const char* fields;
    const char* subject;
  };
  constexpr Case kCases[] = {
      {DsnAction::kFailed, "Action: failed\r\nStatus: 5.0.0\r\n",
       "Subject: Your message could not be delivered\r\n"},
      {DsnAction::kDelayed, "Action: delayed\r\nStatus: 4.0.0\r\n", "Subject: Your message is delayed\r\n"},
      {DsnAction::kRelayed, "Action: relayed\r\nStatus: 2.0.0\r\n",
       "Subject: Your message was passed on\r\n"},
      {DsnAction::kDelivered, "Action: delivered\r\nStatus: 2.0.0\r\n",
       "Subject: Your message was delivered\r\n"},
  };
  for (const Case& c : kCases) {
    DsnInput in = input();
    in.recipients[0].action = c.action;
    in.recipients[0].status.clear();
    const std::string dsn = make_dsn(in);
    EXPECT_TRUE(has(dsn, c.fields)) << dsn;
    EXPECT_TRUE(has(dsn, c.subject)) << dsn;
  }
}

TEST(Dsn, MixedActionsTakeTheGravestSubject) {
  DsnInput in = input();
  in.recipients.insert(in.recipients.begin(), failed());
  in.recipients[0].action = DsnAction::kDelivered;
  const std::string dsn = make_dsn(in);
  EXPECT_TRUE(has(dsn, "Subject: Your message could not be delivered\r\n"));
  EXPECT_TRUE(has(dsn, "Action: delivered\r\n"));
  EXPECT_TRUE(has(dsn, "Action: failed\r\n"));
}

TEST(Dsn, Rfc3464_2_3_4_StatusAndActionAgree) {
  struct Case {
    DsnAction action;
    uint16_t code;
    const char* status;
    const char* wanted;
  };
  const Case cases[] = {
      {DsnAction::kFailed, 550, "4.2.1", "5.2.1"},  {DsnAction::kFailed, 550, "2.0.0", "5.0.0"},
      {DsnAction::kFailed, 550, "5.1.1", "5.1.1"},  {DsnAction::kFailed, 0, "4.4.7", "4.4.7"},
      {DsnAction::kFailed, 451, "4.3.0", "4.3.0"},  {DsnAction::kDelayed, 452, "5.2.2", "4.2.2"},
      {DsnAction::kRelayed, 250, "5.0.0", "2.0.0"}, {DsnAction::kDelivered, 250, "2.1.5", "2.1.5"},
  };
  for (const Case& each : cases) {
    DsnInput in = input();
    in.recipients.resize(1);
    in.recipients[0].action = each.action;
    in.recipients[0].reply_code = each.code;
    in.recipients[0].status = each.status;
    EXPECT_TRUE(has(make_dsn(in), std::string("\r\nStatus: ") + each.wanted + "\r\n")) << each.status;
  }
}

TEST(Dsn, OwnDiagnosticIsNotSmtp) {
  DsnInput in = input();
  in.recipients[0].reply_code = 0;
  in.recipients[0].diagnostic = "no answer for 5 days";
  const std::string dsn = make_dsn(in);
  EXPECT_TRUE(has(dsn, "Diagnostic-Code: x-penstock; no answer for 5 days\r\n"));
  EXPECT_FALSE(has(dsn, "said:"));
}

TEST(Dsn, RemoteTextCannotForgeFields) {
  DsnInput in = input();
  in.recipients[0].diagnostic = "no\r\nX-Evil: 1\r\n\r\n--=_token-1_0\r\n";
  in.recipients[0].remote_mta = "mx\r\nX-Evil: 2";
  in.envid = "x\r\nX-Evil: 3";
  in.recipients[0].recipient.orcpt = "rfc822;a\r\nX-Evil: 4";
  const std::string dsn = make_dsn(in);
  expect_well_formed(dsn);
  EXPECT_FALSE(has(dsn, "\r\nX-Evil"));
}

TEST(Dsn, Rfc2046_5_1_1_BoundaryIsInNoPart) {
  DsnInput in = input();
  in.original = "Subject: x\r\nX: --=_token-1_0\r\nY: =_token-1_1\r\n\r\n";
  EXPECT_TRUE(has(make_dsn(in), "boundary=\"=_token-1_2\""));
}

TEST(Dsn, Rfc5322_2_1_1_LongTextsAreFoldedOrCut) {
  DsnInput in = input();
  in.recipients[0].diagnostic = std::string(5000, 'x') + " " + std::string(3000, 'y');
  const std::string original = "Subject: " + std::string(5000, 'z') + "\r\nbare\rcr: x\nlf: y\r\n\r\n";
  in.original = original;
  in.ret = conf::Ret::kFull;
  const std::string dsn = make_dsn(in);
  expect_well_formed(dsn);
  EXPECT_TRUE(has(dsn, "text/rfc822-headers"));  // such a message cannot be returned whole
  EXPECT_TRUE(has(dsn, "bare?cr: x\r\nlf: y\r\n"));
}

TEST(Dsn, Rfc6533_4_Utf8Addresses) {
  DsnInput in = input();
  in.recipients[0].recipient.mailbox.local = "\xc3\xa9";
  in.recipients[0].diagnostic = "pas d'\xc3\xa9l\xc3\xa8ve";
  in.original = "Subject: \xc3\xa9\r\n\r\n";
  const std::string ascii = make_dsn(in);
  EXPECT_TRUE(has(ascii, "Final-Recipient: utf-8; \\x{E9}@example.net\r\n"));
  EXPECT_TRUE(has(ascii, "pas d'=C3=A9l=C3=A8ve\r\n"));
  EXPECT_TRUE(has(ascii, "Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_TRUE(has(ascii, "Content-Transfer-Encoding: quoted-printable\r\n"));
  EXPECT_TRUE(has(ascii, "pas =?utf-8?Q?d=27=C3=A9l=C3=A8ve?=\r\n"));
  EXPECT_TRUE(has(ascii, "Content-Type: text/rfc822-headers\r\n"));
  EXPECT_TRUE(
      has(ascii, "Content-Transfer-Encoding: 8bit\r\n"));  // the header came in 8 bits and goes back so
  in.smtputf8 = true;
  const std::string global = make_dsn(in);
  expect_well_formed(global);
  EXPECT_TRUE(has(global, "Content-Type: message/global-delivery-status\r\n"));
  EXPECT_TRUE(has(global, "Content-Type: message/global-headers\r\n"));
  EXPECT_TRUE(has(global, "Final-Recipient: utf-8; \xc3\xa9@example.net\r\n"));
  EXPECT_TRUE(has(global, "Content-Transfer-Encoding: 8bit\r\n"));
}

TEST(DsnText, Rfc2047_2_AnEncodedWordIsShortAndSplitsNoCharacter) {
  EXPECT_EQ(encoded_words("550 no such user"), "550 no such user");
  EXPECT_EQ(encoded_words("550 kein Gr\xc3\xbc\xc3\x9f er da"), "550 kein =?utf-8?Q?Gr=C3=BC=C3=9F?= er da");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xe2\x82\xac";
  std::string read;
  std::string words = encoded_words(text) + " ";
  for (size_t at = 0; at < words.size();) {
    const size_t end = words.find(' ', at);
    const std::string word = words.substr(at, end - at);
    EXPECT_LE(word.size(), 75U);
    EXPECT_EQ((word.size() - 12) % 9, 0U) << "whole characters: " << word;
    read += word.substr(10, word.size() - 12);
    at = end + 1;
  }
  EXPECT_EQ(read.size(), 900U);
}

TEST(DsnText, Rfc2045_6_7_QuotedPrintableLinesAreShortAndEndAsTheyDid) {
  EXPECT_EQ(quoted_printable("a=b \r\n\xc3\xa9\r\n"), "a=3Db=20\r\n=C3=A9\r\n");
  const std::string out = quoted_printable(std::string(200, 'x') + "\r\n");
  EXPECT_EQ(out,
            std::string(75, 'x') + "=\r\n" + std::string(75, 'x') + "=\r\n" + std::string(50, 'x') + "\r\n");
}

TEST(DsnDeath, Rfc5321_6_1_NeverToTheNullReversePath) {
  DsnInput in = input();
  in.to = conf::Mailbox();
  EXPECT_DEATH(make_dsn(in), "CHECK failed");
}

TEST(DsnOriginal, OverOneMegabyteOnlyTheHeader) {
  const std::string big = "Subject: x\r\n\r\n" + [] {
    std::string body;
    while (body.size() < 1'000'000) body += std::string(900, 'x') + "\r\n";
    return body;
  }();
  const ReturnedPart part = returned_part(big, true, false);
  EXPECT_EQ(part.content_type, "text/rfc822-headers");
  EXPECT_EQ(part.content, "Subject: x\r\n");
}

}  // namespace
}  // namespace bounce
