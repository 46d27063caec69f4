#include "bounce/text_template.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "bounce/diagnostic.h"
#include "bounce/fold.h"
#include "conf/vocab/random.h"

namespace bounce {
namespace {

struct Case {
  const char* text;
  const char* expected;
};

constexpr Case kCases[] = {
    {"550 <someone@some.example> No such user here", "550 <*> No such user here"},
    {"550 ** unknown address ((a@b.example))", "550 ** unknown address ((*))"},
    {"550 5.1.1 <a@b.example>: Recipient address rejected", "550 5.1.1 <*>: Recipient address rejected"},
    {"221 mx7.some.example Service closing transmission channel",
     "221 #DOMAIN# Service closing transmission channel"},
    {"503 #5.5.1 RCPT first", "503 #5.5.1 RCPT first"},
    {"JST-310000 550 <a@b.example> Relaying denied", "550 <*> Relaying denied"},
    {"MTA-740010: 550 no", "550 no"},
    {"554 5.7.1 [192.0.2.7] blocked using zen.spamhaus.org",
     "554 5.7.1 [#IP#] blocked using zen.spamhaus.org"},
    {"550 2001:db8::25 is not welcome", "550 #IP# is not welcome"},
    {"421 4.7.0 [TSS04] Messages from 192.0.2.7 temporarily deferred",
     "421 4.7.0 [TSS04] Messages from #IP# temporarily deferred"},
    {"550 Message not allowed - [299]", "550 Message not allowed - [299]"},
    {"552 size 31457280 is over 10485760", "552 size #NUM# is over #NUM#"},
    {"450 please call +49 228 555 0100 now", "450 please call #PHONE# now"},
    {"450 please call 1-800-555-0100 now", "450 please call #PHONE# now"},
    {"550 refused at 2024-04-29T23:34:45.000Z for good", "550 refused at #DATE# for good"},
    {"550 refused on Mon, 29 Apr 2024 23:34:45 +0000 for good", "550 refused on #DATE# for good"},
    {"550 please see https://help.some.example/x?id=12345 now", "550 please see #URL# now"},
    {"553 https://www.spamhaus.org/query/ip/192.0.2.7", "553 #URL:www.spamhaus.org#"},
    {"550 5.2.1 disabled. t11si6005099wes.103 - gsmtp", "550 5.2.1 disabled. #ID# - gsmtp"},
    {"550 <jdoe>: user unknown", "550 <*>: user unknown"},
    {"550 RESOLVER.ADR.RecipNotFound; not found", "550 RESOLVER.ADR.RecipNotFound; not found"},
    {"550 \t several   blanks\r\n", "550 several blanks"},
    {"550 L\xe9gende", "550 L\xc3\xa9gende"},
    {"550 收件人a@b.example不存在", "550 收件人*不存在"},
    {"", ""},
};

TEST(TextTemplate, Table) {
  for (const Case& c : kCases) {
    EXPECT_EQ(text_template(c.text), c.expected) << c.text;
    EXPECT_EQ(text_template(c.expected), c.expected);
  }
}

TEST(TextTemplate, JoinsTheLinesOfAReply) {
  Reply reply = Reply::make(550, "5.7.1 first line for a@b.example");
  reply.lines.emplace_back("5.7.1 second line");
  EXPECT_EQ(text_template(reply), "550 5.7.1 first line for * second line");
}

TEST(TextTemplate, CodesOfOurOwnProgramsGo) {
  for (const char* text : {"550 User unknown", "JST-310000 550 User unknown", "550 JST-310000 User unknown",
                           "smtp; 550 MTA-740010: User unknown"}) {
    const Reply reply = read_diagnostic(text);
    EXPECT_EQ(reply.code, 550) << text;
    EXPECT_EQ(text_template(reply), "550 User unknown") << text;
  }
  EXPECT_EQ(text_template(Reply::make(550, "JST-310000 User unknown")), "550 User unknown");
}

TEST(TextTemplate, IsTheSameWhereverTheLinesEnd) {
  const std::string whole =
      text_template(read_diagnostic("550 5.1.1 no user a@b.example (told by 5.1.10) here"));
  EXPECT_EQ(whole, "550 5.1.1 no user * (told by 5.1.10) here");
  for (const char* wrapped : {"550-5.1.1 no user a@b.example 550 5.1.1 (told by 5.1.10) here",
                              "550-5.1.1 no user 550-5.1.1 a@b.example (told 550 5.1.1 by 5.1.10) here",
                              "550 5.1.1 no 5.1.1 user a@b.example (told by 5.1.10) here 5.1.1"})
    EXPECT_EQ(text_template(read_diagnostic(wrapped)), whole) << wrapped;
  Reply marked = Reply::make(550, "#5.1.1 no user a@b.example");
  marked.lines.emplace_back("#5.1.1 (told by 5.1.10)");
  marked.lines.emplace_back();
  marked.lines.emplace_back("#5.1.1 here");
  EXPECT_EQ(text_template(marked), "550 #5.1.1 no user * (told by 5.1.10) here");
}

constexpr const char* kPersonal[][5] = {
    {"a@b.example", "someone.else+tag@mail.other.example", "x_y-z@c.example", "\xc3\xa9l@d.example",
     "1@e.example"},
    {"192.0.2.1", "203.0.113.254", "2001:db8::1", "198.51.100.7", "2001:db8:0:1:2:3:4:5"},
    {"mx1.some.example", "mail-7.other.example", "MX2.THIRD.EXAMPLE", "a.b.c.d.example", "x-9.example"},
    {"12", "7", "123456789", "15728640", "90071"},
    {"29 Apr 2024 23:34:45", "2024-04-29 23:34", "1 Jan 2026", "29/04/2024",
     "Mon, 29 Apr 2024 23:34:45 +0000"},
    {"t11si6005099wes", "3B1F22C0A9", "8c4d9a1e-77f1-4c1b-9d8a-0123456789ab", "v22-20020a17", "0A1B2C3D4E"},
};

// One failure is one row, however it is personalised; and what is said differs, so the rows do.
TEST(TextTemplate, OneFailureIsOneRow) {
  const char* frames[] = {"550 5.1.1 the mail for % was refused for good",
                          "451 4.7.0 please wait, % said so today", "554 (%) is not allowed to do that here",
                          "550 Адрес % не существует у нас", "550 宛先 % は存在しません です"};
  std::set<std::string> rows;
  for (const char* frame : frames) {
    for (const auto& kind : kPersonal) {
      std::set<std::string> of_kind;
      for (const char* value : kind) {
        std::string text = frame;
        text.replace(text.find('%'), 1, value);
        of_kind.insert(text_template(text));
      }
      EXPECT_EQ(of_kind.size(), 1U) << frame << " with " << kind[0] << ": " << *of_kind.begin() << " | "
                                    << *of_kind.rbegin();
      rows.insert(of_kind.begin(), of_kind.end());
    }
  }
  EXPECT_EQ(rows.size(), std::size(frames) * std::size(kPersonal));
}

TEST(TextTemplate, NamesWithoutADomainMakeNoRowsOfTheirOwn) {
  const std::pair<const char*, const char*> cases[] = {
      {"550 User kim (kim@some.example) not listed in Domino Directory",
       "550 User * (*) not listed in Domino Directory"},
      {"550 User kim.lee (kim.lee@some.example) not listed", "550 User * (*) not listed"},
      {"550 Sorry, no such user 'kim' here", "550 Sorry, no such user '*' here"},
      {"550 mailbox \"kim.lee\" is full", "550 mailbox \"*\" is full"},
      {"550 \"kim lee\"@some.example unknown", "550 * unknown"},
      {"550 o'neil@some.example isn't here", "550 * isn't here"},
      {"550 'kim@some.example' isn't here", "550 '*' isn't here"},
      {"550 <用户@例子.example>: no", "550 <*>: no"},
      // What is said of somebody is no name.
      {"550 user unknown: unknown@some.example", "550 user unknown: *"},
      {"550 user \"unknown\"", "550 user \"unknown\""},
      {"550 mail will not go to will@some.example", "550 mail will not go to *"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(text_template(text), expected);
  EXPECT_EQ(text_template("550 from mx1 here"), text_template("550 from mx23 here"));
}

TEST(TextTemplate, TwoFailuresAreTwoRows) {
  const char* different[] = {"550 5.1.1 no",
                             "550 5.1.2 no",
                             "551 5.1.1 no",
                             "550 [TSS04] no",
                             "550 [TSS07] no",
                             "550 S3140 no",
                             "550 S3150 no",
                             "550 OFR_416 no",
                             "550 OFR_417 no",
                             "550 no [299]",
                             "550 no [103]",
                             "550 blocked using zen.spamhaus.org",
                             "550 blocked using bl.spamcop.net",
                             "550 https://www.spamhaus.org/query/1",
                             "550 https://support.some.example/query/1"};
  std::set<std::string> rows;
  for (const char* text : different) rows.insert(text_template(text));
  EXPECT_EQ(rows.size(), std::size(different));
}

// Any octets: well-formed UTF-8 without controls comes out, bounded.
TEST(TextTemplate, AnyOctetsAreGood) {
  conf::Random random(7);
  const std::string pieces[] = {
      "550 ", "5.1.1", "a@b.example", "<",     ">",     "192.0.2.1", ":", "::", "http://", "2024-", "\xff",
      "\xc3", "é",     "宛",          "#",     "#NUM#", "*",         " ", "\n", "+49 ",    "-",     ".",
      "[",    "]",     "12",          "Apr 2", "x1",    "23:59",     "@", "/",  "="};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (uint64_t count = random.below(12); count > 0; --count)
      text += pieces[random.below(std::size(pieces))];
    const std::string once = text_template(text);
    EXPECT_LE(once.size(), 4000U);
    for (size_t at = 0; at < once.size();) {
      const size_t before = at;
      const char32_t c = next_code_point(once, &at);
      EXPECT_TRUE(c < 0x80 || at - before > 1) << text;
      EXPECT_TRUE(c >= 0x20) << text;
    }
  }
}

TEST(TextTemplate, AHugeReplyIsBounded) {
  EXPECT_LE(text_template("550 " + std::string(500'000, 'x')).size(), 1100U);
  EXPECT_LE(text_template("550 " + std::string(500'000, '@')).size(), 1100U);
}

TEST(RowKey, IsHexadecimalAndDiffers) {
  EXPECT_EQ(row_text(row_key("550 a")).size(), 16U);
  EXPECT_NE(row_key("550 a"), row_key("550 b"));
  EXPECT_EQ(row_text(0x0123456789abcdefULL), "0123456789abcdef");
}

struct DiagnosticCase {
  const char* text;
  uint16_t code;
  const char* status;
  const char* rest;
};

constexpr DiagnosticCase kDiagnostics[] = {
    {"550 5.1.1 no", 550, "5.1.1", "5.1.1 no"},
    {"550-5.1.1 one 550 5.1.1 two", 550, "5.1.1", "5.1.1 one 5.1.1 two"},
    {"smtp; 550 #5.1.1 no", 550, "5.1.1", "#5.1.1 no"},
    {"#5.1.1 no", 0, "5.1.1", "#5.1.1 no"},
    {"550 filter_x 5.7.1 no", 550, "5.7.1", "filter_x 5.7.1 no"},
    {"550 sorry, no mailbox (#5.1.1)", 550, "5.1.1", "sorry, no mailbox (#5.1.1)"},
    {"550 192.0.2.1 no", 550, "", "192.0.2.1 no"},
    {"550 5.1.192.1 no", 550, "", "5.1.192.1 no"},
    {"host mx.some.example[192.0.2.1] said: 550 5.1.1 no (in reply to RCPT TO command)", 550, "5.1.1",
     "5.1.1 no"},
    {"Remote Server returned '550 5.1.1 no'", 550, "5.1.1", "5.1.1 no'"},
    {"no code at all", 0, "", "no code at all"},
    {"", 0, "", ""},
};

TEST(Diagnostic, IsReadAsAReply) {
  for (const DiagnosticCase& c : kDiagnostics) {
    const Reply reply = read_diagnostic(c.text);
    EXPECT_EQ(reply.code, c.code) << c.text;
    EXPECT_EQ(reply.enhanced.text(), c.status) << c.text;
    EXPECT_EQ(reply.lines.front(), c.rest) << c.text;
  }
}

TEST(Fold, MakesOneSpellingOfAll) {
  EXPECT_EQ(fold("BOÎTE-aux_lettres  d’un\tÉtranger", 100), "boite aux lettres d un etranger");
  EXPECT_EQ(fold("Straße Łódź ПОЧТОВЫЙ ЯЩИК", 100), "strasse lodz почтовый ящик");
  EXPECT_EQ(fold("no user spam.blocked@list.example here", 100), "no user * here");
  EXPECT_EQ(fold("收件人a@b.example不存在", 100), "收件人*不存在");
  EXPECT_EQ(fold("\xe9t\xe9", 100), "ete");
  EXPECT_EQ(fold_pattern("n'existe-pas [a-z]\\d"), "n existe pas [a-z]\\d");
}

}  // namespace
}  // namespace bounce
