#include "bounce/reply.h"

#include <gtest/gtest.h>

#include "conf/limits.h"

namespace bounce {
namespace {

TEST(EnhancedStatus, Rfc3463_2_Syntax) {
  struct Case {
    const char* text;
    const char* status;
    size_t consumed;
  };
  constexpr Case kCases[] = {
      {"5.1.1 no such user", "5.1.1", 6},
      {"2.0.0", "2.0.0", 5},
      {"4.7.650 slow down", "4.7.650", 8},
      {"5.100.200 x", "5.100.200", 10},
      {"5.1.1: x", "", 0},
      {"3.1.1 x", "", 0},
      {"5.1 x", "", 0},
      {"5..1 x", "", 0},
      {"5.1.1000 x", "", 0},
      {"5.1.", "", 0},
      {"", "", 0},
      {"5.1.1\tx", "", 0},
      {"51.1.1 x", "", 0},
      {"5.0001.1 x", "", 0},
  };
  for (const Case& c : kCases) {
    size_t consumed = 99;
    EXPECT_EQ(EnhancedStatus::parse(c.text, &consumed).text(), c.status) << c.text;
    EXPECT_EQ(consumed, c.consumed) << c.text;
  }
}

struct ParseCase {
  const char* name;
  std::string input;
  uint16_t code;  // 0: refused
  const char* status;
  const char* text;
};

const ParseCase kParseCases[] = {
    {"Rfc5321_4_2_OneLine", "250 ok\r\n", 250, "", "ok"},
    {"Rfc5321_4_2_CodeAlone", "250\r\n", 250, "", ""},
    {"Rfc5321_4_2_1_MultiLine", "250-a\r\n250-b\r\n250 c\r\n", 250, "", "a b c"},
    {"Rfc5321_4_2_1_LastLineWithoutText", "250-a\r\n250\r\n", 250, "", "a "},
    {"LfLineEnds", "550-5.1.1 no\n550 5.1.1 such user\n", 550, "5.1.1", "5.1.1 no 5.1.1 such user"},
    {"Rfc2034_4_FirstStatusCounts", "550-hello\r\n550-5.2.1 a\r\n550 5.1.1 b\r\n", 550, "5.2.1",
     "hello 5.2.1 a 5.1.1 b"},
    {"MixedCodesLastCounts", "250-a\r\n451 b\r\n", 451, "", "a b"},
    {"Rfc5321_4_2_1_RefusalBehindAcceptance", "250-a\r\n550 b\r\n", 0, "", ""},
    {"Rfc5321_4_2_1_RefusalBehind354", "354-a\r\n554 b\r\n", 0, "", ""},
    {"Rfc5321_4_2_1_RefusalBehindNotNow", "450-a\r\n550 b\r\n", 0, "", ""},
    {"SameClassLastCounts", "550-a\r\n554 b\r\n", 554, "", "a b"},
    {"NotNowBehindRefusal", "550-a\r\n450 b\r\n", 450, "", "a b"},
    {"ControlCharactersMasked", std::string("550 a\tb\x1b[1m\r\n"), 550, "", "a?b?[1m"},
    {"NotDigits", "hello\r\n", 0, "", ""},
    {"TooShort", "25\r\n", 0, "", ""},
    {"Empty", "\r\n", 0, "", ""},
    {"Rfc5321_4_2_1_FirstDigit", "150 x\r\n", 0, "", ""},
    {"FirstDigitSix", "650 x\r\n", 0, "", ""},
    {"BadSeparator", "250x\r\n", 0, "", ""},
};

// Feeds `input` cut at `at` and checks the outcome.
void check(const ParseCase& c, size_t at) {
  ReplyParser parser;
  Reply reply;
  for (std::string_view part :
       {std::string_view(c.input).substr(0, at), std::string_view(c.input).substr(at)}) {
    conf::Result<bool> whole = parser.feed(&part, &reply);
    if (!whole.ok()) {
      EXPECT_EQ(c.code, 0) << c.name;
      EXPECT_EQ(whole.error().code, conf::ErrorCode::kInvalid);
      return;
    }
    if (*whole) {
      EXPECT_EQ(reply.code, c.code) << c.name << " cut at " << at;
      EXPECT_EQ(reply.enhanced.text(), c.status) << c.name;
      EXPECT_EQ(reply.text(), c.text) << c.name;
      EXPECT_TRUE(part.empty());
      EXPECT_FALSE(parser.mid_reply());
      return;
    }
  }
  ADD_FAILURE() << c.name << ": no reply and no error";
}

TEST(ReplyParser, EveryCut) {
  for (const ParseCase& c : kParseCases) {
    for (size_t at = 0; at <= c.input.size(); ++at) check(c, at);
  }
}

TEST(ReplyParser, Rfc2920_3_1_SeveralRepliesInOneSegment) {
  std::string_view input = "250 a\r\n550-b\r\n550 c\r\n354";
  ReplyParser parser;
  Reply reply;
  ASSERT_TRUE(*parser.feed(&input, &reply));
  EXPECT_EQ(reply.text(), "a");
  ASSERT_TRUE(*parser.feed(&input, &reply));
  EXPECT_EQ(reply.text(), "b c");
  EXPECT_FALSE(*parser.feed(&input, &reply));
  EXPECT_TRUE(parser.mid_reply());
  parser.reset();
  EXPECT_FALSE(parser.mid_reply());
}

// RFC 5321 §4.5.3.1.5 says 512 octets. What a server said is not lost because it said a lot.
TEST(ReplyParser, ALongLineAndManyLinesAreCutAndCount) {
  const std::string text = "5.1.1 " + std::string(conf::limits::kReplyLineOctets + 1000, 'x');
  std::string many;
  for (size_t i = 0; i < conf::limits::kReplyLines + 50; ++i) many += "550-5.1.1 nobody\r\n";
  for (const std::string& said :
       {"550 " + text + "\r\n", "550-" + text + "\r\n550 end\r\n", many + "550 end\r\n"}) {
    for (const size_t piece : {said.size(), size_t{1000}, size_t{1}}) {
      ReplyParser parser;
      Reply reply;
      size_t replies = 0;
      for (size_t at = 0; at < said.size(); at += piece) {
        std::string_view part = std::string_view(said).substr(at, piece);
        conf::Result<bool> whole = parser.feed(&part, &reply);
        ASSERT_TRUE(whole.ok()) << whole.error().detail;
        if (*whole) ++replies;
      }
      EXPECT_EQ(replies, 1U);
      EXPECT_EQ(reply.code, 550);
      EXPECT_EQ(reply.enhanced.text(), "5.1.1");
      EXPECT_LE(reply.lines.size(), conf::limits::kReplyLines);
      for (const std::string& line : reply.lines) EXPECT_LE(line.size(), conf::limits::kReplyLineOctets);
    }
  }
}

TEST(ReplyParser, LinesBeyondThoseKeptMayNotContradictThem) {
  ReplyParser parser;
  Reply reply;
  std::string many;
  for (size_t i = 0; i < conf::limits::kReplyLines + 1; ++i) many += "250-x\r\n";
  std::string_view input = many;
  EXPECT_FALSE(*parser.feed(&input, &reply));
  input = "550 no\r\n";
  EXPECT_FALSE(parser.feed(&input, &reply).ok());
}

TEST(ReplyParser, EmptyLinesBetweenRepliesArePassedOverWhereTheCallerSaysSo) {
  const std::string said = "\r\n\n250 a\r\n\r\n550-b\r\n550 c\r\n\r\n";
  for (const size_t piece : {said.size(), size_t{1}}) {
    ReplyParser parser;
    std::vector<std::string> seen;
    for (size_t at = 0; at < said.size(); at += piece) {
      std::string_view part = std::string_view(said).substr(at, piece);
      while (!part.empty()) {
        Reply reply;
        conf::Result<bool> whole = parser.feed(&part, &reply, true);
        ASSERT_TRUE(whole.ok()) << whole.error().detail;
        if (*whole) seen.push_back(reply.text());
      }
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"a", "b c"}));
    EXPECT_FALSE(parser.mid_reply());
  }
  for (const std::string_view text : {"\r\n250 a\r\n", "250-a\r\n\r\n250 b\r\n"}) {
    std::string_view input = text;
    ReplyParser parser;
    Reply reply;
    EXPECT_FALSE(parser.feed(&input, &reply, text[0] == '2').ok()) << "within a reply, or not allowed";
  }
}

TEST(ReplyParser, WhatIsEndlessIsRefused) {
  const std::string piece(1000, 'x');
  for (const std::string& said : {"550 " + piece, "550-" + piece + "\r\n", piece}) {
    ReplyParser parser;
    Reply reply;
    size_t fed = 0;
    for (; fed <= ReplyParser::kMostOctets; fed += said.size()) {
      std::string_view input = said;
      if (!parser.feed(&input, &reply).ok()) break;
    }
    const bool speaks_smtp = said != piece;
    EXPECT_EQ(fed > 100 * piece.size(), speaks_smtp);
    EXPECT_LE(fed, ReplyParser::kMostOctets);
  }
}

TEST(Reply, IsCutToABoundOfAllItsLines) {
  Reply reply = Reply::make(550, "5.1.1 " + std::string(3000, 'x'));
  reply.lines.emplace_back("a second line");
  reply.cut_to(2048);
  EXPECT_EQ(reply.lines, (std::vector<std::string>{"5.1.1 " + std::string(2042, 'x')}));
  EXPECT_EQ(reply.enhanced.text(), "5.1.1");
  Reply many;
  many.lines.assign(256, std::string(100, 'y'));
  many.cut_to(2048);
  EXPECT_EQ(many.lines.size(), 21U);
  EXPECT_LE(many.text().size(), 2048U);
  Reply empty;
  empty.lines.assign(5000, "");
  empty.cut_to(2048);
  EXPECT_EQ(empty.lines.size(), 2048U);
  Reply characters;
  characters.lines = {"aaa\u00e9"};
  characters.cut_to(4);
  EXPECT_EQ(characters.lines[0], "aaa");
  Reply usual = Reply::make(250, "2.0.0 ok");
  usual.cut_to(2048);
  EXPECT_EQ(usual.text(), "2.0.0 ok");
}

TEST(Reply, MakeReadsTheStatus) {
  const Reply reply = Reply::make(552, "5.3.4 too big");
  EXPECT_EQ(reply.enhanced.text(), "5.3.4");
  EXPECT_TRUE(reply.permanent());
  EXPECT_FALSE(reply.transient());
}

}  // namespace
}  // namespace bounce
