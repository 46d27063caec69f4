// What is taken beside the standard, and from whom; and what becomes of odd octets in a message.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "conf/limits.h"
#include "relay/smtp/command.h"
#include "tests/relay/smtp/server_rig.h"

namespace relay::smtp {
namespace {

const Leniency kLenient{true, true, "relay.example.com"};

TEST(Tolerance, NamesOfPhonesAndPrinters) {
  struct Row {
    const char* name;
    const char* kept;
    bool strict;
  };
  const Row rows[] = {
      {"host.example.com", "host.example.com", true},
      {"DESKTOP_PC", "DESKTOP_PC", true},
      {"7kO2OrE", "7kO2OrE", true},
      {"2001:db8::1", "2001:db8::1", true},
      {"[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]", true},
      {"[IPv6:fe80::1%en0]", "[IPv6:fe80::1_en0]", false},
      {"My Computer", "My_Computer", false},
      {"o'neil-laptop", "o_neil-laptop", false},
      {"(none)", "_none_", false},
      {"host,test", "host_test", false},
      {"a/b", "a_b", false},
      {"", "unnamed", false},
      {"\xD0\x91\xD1\x83", "____", false},
      {"caf\xE9", "caf_", false},
  };
  for (const Row& row : rows) {
    for (const char* verb : {"EHLO ", "HELO "}) {
      const Command lenient = parse_command(std::string(verb) + row.name, kLenient);
      EXPECT_EQ(lenient.error, "") << row.name;
      EXPECT_EQ(lenient.argument, row.kept);
      EXPECT_EQ(parse_command(std::string(verb) + row.name).error.empty(), row.strict) << row.name;
    }
  }
}

TEST(Tolerance, ANameKeepsNoControlCharacterAndHasABound) {
  EXPECT_NE(parse_command("EHLO a\x01"
                          "b",
                          kLenient)
                .error,
            "");
  EXPECT_EQ(parse_command("EHLO " + std::string(400, '!'), kLenient).argument, std::string(255, '_'));
}

TEST(Tolerance, Addresses) {
  struct Row {
    const char* line;
    const char* mailbox;  // of a lenient reading; "" for refused
    bool strict;
  };
  const Row rows[] = {
      {"MAIL FROM:Jane Doe <jane@example.com> SIZE=10", "jane@example.com", false},
      {"MAIL FROM:\"Doe, Jane\" <jane@example.com>", "jane@example.com", false},
      {"MAIL FROM:<a@example.org>", "a@example.org", true},
      {"MAIL FROM: <a@example.org>", "a@example.org", true},
      {"MAIL FROM:a@example.org", "a@example.org", false},
      {"MAIL FROM: a@example.org SIZE=100", "a@example.org", false},
      {"MAIL FROM:<a@example.org>SIZE=100", "a@example.org", false},
      {"MAIL FROM :<a@example.org>", "a@example.org", false},
      {"MAIL FROM:<root>", "root@relay.example.com", false},
      {"MAIL FROM:< a@example.org >", "a@example.org", false},
      {"MAIL FROM:<a..b@example.org>", "\"a..b\"@example.org", false},
      {"MAIL FROM:<a.@example.org>", "\"a.\"@example.org", false},
      {"MAIL FROM:<.a@example.org>", "\".a\"@example.org", false},
      {"MAIL FROM:<\"a..b\"@example.org>", "\"a..b\"@example.org", true},
      {"MAIL FROM:<a@b@example.org>", "", false},
      {"MAIL FROM:<a b@example.org>", "", false},
      {"MAIL FROM:a@example.org>", "", false},
      {"MAIL FROM:<a@example.org", "", false},
      {"MAIL FROM:", "", false},
      {"MAIL FROM:<a@>", "", false},
      {"MAIL FROM:<a@example.org> ENVID=a+2bb", "a@example.org", false},
      {"MAIL FROM:<a@example.org> ENVID=a+2Bb", "a@example.org", true},
  };
  for (const Row& row : rows) {
    const Command lenient = parse_command(row.line, kLenient);
    EXPECT_EQ(lenient.error.empty(), *row.mailbox != '\0') << row.line;
    if (lenient.error.empty()) {
      EXPECT_EQ(lenient.reverse_path.text(), row.mailbox) << row.line;
    }
    EXPECT_EQ(parse_command(row.line).error.empty(), row.strict) << row.line;
  }
  EXPECT_EQ(parse_command("RCPT TO:b@example.org NOTIFY=NEVER", kLenient).recipient.mailbox.text(),
            "b@example.org");
  EXPECT_EQ(parse_command("RCPT TO:<b@example.org> ORCPT=rfc822;b+2bc@example.org", kLenient).recipient.orcpt,
            "rfc822;b+c@example.org");
  EXPECT_NE(parse_command("RCPT TO:<user>", kLenient).error, "") << "a recipient is never guessed";
}

std::string answer(conf::Config config, std::string_view client, std::string_view line) {
  ServerRig rig(std::move(config), client, true);
  rig.start();
  rig.say("EHLO client.example.com");
  return rig.say(line).substr(0, 3);
}

TEST(Tolerance, IsForLoopbackAndForWhoLoggedInUnlessTheListenerSaysOtherwise) {
  EXPECT_EQ(answer(test_config(), "127.0.0.1", "MAIL FROM:a@example.org"), "250");
  EXPECT_EQ(answer(test_config(), "::1", "MAIL FROM:a@example.org"), "250");
  EXPECT_EQ(answer(test_config(), kFriend, "MAIL FROM:a@example.org"), "501");
  EXPECT_EQ(answer(test_config(), kStranger, "MAIL FROM:a@example.org"), "501");
  conf::Config config = test_config();
  config.listeners.front().tolerance = conf::Tolerance::kTolerant;
  EXPECT_EQ(answer(config, kStranger, "MAIL FROM:a@example.org"), "250");
  config.listeners.front().tolerance = conf::Tolerance::kStrict;
  EXPECT_EQ(answer(config, "127.0.0.1", "MAIL FROM:a@example.org"), "501");
}

TEST(Tolerance, WhoMayLogInSaysItsNameBefore) {
  EXPECT_EQ(answer(test_config(), kStranger, "EHLO My Phone"), "501");
  conf::Config config = test_config();
  config.listeners.front().auth = true;
  EXPECT_EQ(answer(config, kStranger, "EHLO My Phone"), "250");
  EXPECT_EQ(answer(config, kStranger, "MAIL FROM:a@example.org"), "501");
  ServerRig rig(config, kStranger, true);
  rig.options.tls_active = true;
  rig.start();
  rig.say("EHLO My Phone");
  rig.say("AUTH PLAIN AHNob3AAc2VjcmV0");
  rig.session->auth_result(AuthOutcome::kGood, rig.now);
  rig.drain();
  rig.take_written();
  EXPECT_EQ(rig.say("MAIL FROM:<a..b@example.org>"), "250 2.1.0 sender OK\r\n");
}

// Sends one message and gives the body that came out; the answer to its end in `*end`.
std::string through(conf::Config config, std::string_view text, std::string* end,
                    const char* line_end = "\r\n") {
  ServerRig rig(std::move(config));
  rig.start();
  rig.feed(std::string("EHLO client.example.com") + line_end);
  rig.feed(std::string("MAIL FROM:<a@example.org>") + line_end);
  rig.feed(std::string("RCPT TO:<b@example.net>") + line_end);
  rig.feed(std::string("DATA") + line_end);
  rig.take_written();
  rig.take_events();
  rig.feed(text);
  const auto events = rig.take_events();
  const bool offered = !events.empty() && events.back() == "message";
  *end = offered ? "message" : rig.take_written();
  return rig.body;
}

TEST(OddOctets, NulBecomesASpaceOrIsRefused) {
  const std::string text("Subject: a\0b\r\n\r\nc\0\0d\r\n\0.\r\n.\r\n", 29);
  std::string end;
  EXPECT_EQ(through(test_config(), text, &end), "Subject: a b\r\n\r\nc  d\r\n .\r\n");
  EXPECT_EQ(end, "message");
  conf::Config config = test_config();
  config.listeners.front().nul = conf::NulOctets::kRefuse;
  through(config, text, &end);
  EXPECT_EQ(end, "550 5.6.0 the message holds NUL octets (RFC 5322 section 4)\r\n");
}

TEST(OddOctets, TheFromOfAMailboxFileDoesNotEndTheHeader) {
  std::string end;
  EXPECT_EQ(through(test_config(), "From a@b Mon Jan  1 00:00:00 2029\r\nSubject: x\r\n\r\nb\r\n.\r\n", &end),
            "X-Mailbox-Line: From a@b Mon Jan  1 00:00:00 2029\r\nSubject: x\r\n\r\nb\r\n");
  EXPECT_EQ(through(test_config(), ">From a@b\r\nSubject: x\r\n\r\nb\r\n.\r\n", &end),
            "X-Mailbox-Line: >From a@b\r\nSubject: x\r\n\r\nb\r\n");
  EXPECT_EQ(through(test_config(), "From  a : b\r\n\r\nb\r\n.\r\n", &end),
            "X-Mailbox-Line: From  a : b\r\n\r\nb\r\n");
  for (const char* text : {"From: a@b\r\n\r\nFrom here\r\n", "Fro", "F\r\n", ">From\r\n", ">\r\n",
                           "From : a@b\r\nSubject: x\r\n\r\nb\r\n", "From \t  : a@b\r\n", "Subject: x\r\n"}) {
    const std::string whole = std::string(text) + (std::string_view(text).ends_with('\n') ? "" : "\r\n");
    EXPECT_EQ(through(test_config(), whole + ".\r\n", &end), whole);
    EXPECT_EQ(end, "message");
  }
}

TEST(OddOctets, AClientThatKnowsNoCrLfGetsItsAnswer) {
  conf::Config config = test_config();
  config.listeners.front().bare_newline = conf::BareNewline::kConvert;
  std::string end;
  EXPECT_EQ(through(config, "From: a@b\n\nhello\n..dot\n.\n", &end, "\n"),
            "From: a@b\r\n\r\nhello\r\n.dot\r\n");
  EXPECT_EQ(end, "message");
  // One CRLF in the message, or in front of it, and <LF>.<LF> is text again.
  through(config, "From: a@b\r\n\nhello\n.\nMAIL FROM:<x@y>\n", &end, "\n");
  EXPECT_EQ(end, "");
  through(config, "From: a@b\n\nhello\n.\nMAIL FROM:<x@y>\n", &end, "\r\n");
  EXPECT_EQ(end, "");
}

TEST(OddOctets, TheBoundsOfLinesAndHopsAreTheListeners) {
  conf::Config config = test_config();
  std::string end;
  const std::string line(2000, 'x');
  through(config, line + "\r\n.\r\n", &end);
  EXPECT_EQ(end, "message");
  config.listeners.front().max_line_bytes = 1000;
  through(config, line + "\r\n.\r\n", &end);
  EXPECT_EQ(end, "554 5.6.0 a line of the message is longer than 1000 octets\r\n");
  std::string hops;
  for (int i = 0; i < 99; ++i) hops += "Received: x\r\n";
  through(test_config(), hops + "\r\nb\r\n.\r\n", &end);
  EXPECT_EQ(end, "message");
  through(test_config(), hops + "Received: x\r\n\r\nb\r\n.\r\n", &end);
  EXPECT_EQ(end.substr(0, 9), "554 5.4.6");
}

TEST(OddOctets, AnEndlessHeaderIsRefusedAndALongBodyIsNot) {
  std::string fields, end;
  while (fields.size() < conf::limits::kHeaderOctets)
    fields += "X-Filling: " + std::string(400, 'x') + "\r\n";
  through(test_config(), "a: b\r\n\r\n" + fields + ".\r\n", &end);
  EXPECT_EQ(end, "message");
  through(test_config(), fields + "\r\nbody\r\n.\r\n", &end);
  EXPECT_EQ(end, "554 5.6.0 the header of the message is longer than 1048576 octets\r\n");
}

}  // namespace
}  // namespace relay::smtp
