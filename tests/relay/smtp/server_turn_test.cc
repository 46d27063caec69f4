// The work of one turn is bounded, and what is left is not lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/relay/smtp/server_rig.h"

namespace relay::smtp {
namespace {

std::string repeated(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(ServerTurn, APipelineIsWorkedOffInPiecesAndWhole) {
  ServerRig rig;
  rig.start();
  rig.say("EHLO client.example.com");
  rig.session->begin_turn(50);
  rig.feed(repeated("NOOP\r\n", 1000));
  EXPECT_EQ(rig.take_written(), repeated("250 2.0.0 OK\r\n", 50));
  EXPECT_TRUE(rig.session->has_more());
  EXPECT_FALSE(rig.session->wants_input());
  size_t turns = 1;
  std::string rest;
  for (; rig.session->has_more(); ++turns) {
    rig.session->begin_turn(50);
    rig.drain();
    rest += rig.take_written();
  }
  EXPECT_EQ(rest, repeated("250 2.0.0 OK\r\n", 950));
  EXPECT_EQ(turns, 20U);
  EXPECT_TRUE(rig.session->wants_input());
}

TEST(ServerTurn, RepliesOfOneTurnAreBounded) {
  for (const char* line : {"EHLO a\r\n", "HELP\r\n", "VRFY x\r\n"}) {
    ServerRig rig;
    rig.start();
    rig.take_written();
    rig.session->begin_turn(96);
    rig.feed(repeated(line, 5000));
    EXPECT_LT(rig.take_written().size(), 64U * 1024) << line;
    EXPECT_TRUE(rig.session->has_more()) << line;
  }
}

TEST(ServerTurn, NamesThatGoThroughIdnaCostMore) {
  ServerRig rig;
  rig.start();
  rig.say("EHLO client.example.com");
  rig.session->begin_turn(96);
  rig.feed(repeated("MAIL FROM:<u@m\xC3\xBCnchen.example> SMTPUTF8\r\nRSET\r\n", 1000));
  const std::string written = rig.take_written();
  EXPECT_LE(std::ranges::count(written, '\n'), 12);
  EXPECT_GE(std::ranges::count(written, '\n'), 2);
}

void begin_data(ServerRig* rig) {
  rig->start();
  rig->say("EHLO client.example.com");
  rig->say("MAIL FROM:<a@example.com>");
  rig->say("RCPT TO:<b@example.net>");
  rig->say("DATA");
}

// Every line of these needs steps of its own.
TEST(ServerTurn, ABodyThatIsMuchWorkIsReadInPiecesAndWhole) {
  const auto all_turns = [](ServerRig* rig, size_t most) {
    size_t turns = 1;
    for (; rig->session->has_more() && turns < most; ++turns) {
      EXPECT_FALSE(rig->session->wants_input());
      rig->session->begin_turn(8);
      rig->drain();
    }
    EXPECT_LT(turns, most);
    return turns;
  };
  ServerRig dots;
  begin_data(&dots);
  dots.session->begin_turn(8);
  dots.feed(repeated("..\r\n", 8000) + ".\r\n");
  EXPECT_LT(dots.body.size(), 8000U);
  EXPECT_GT(all_turns(&dots, 1000), 50U);
  EXPECT_EQ(dots.body, repeated(".\r\n", 8000));
  EXPECT_EQ(dots.take_events().back(), "message");

  ServerRig empty_lines;
  begin_data(&empty_lines);
  empty_lines.session->begin_turn(8);
  empty_lines.feed(repeated("\r\n", 16'000) + ".\r\n");
  EXPECT_LT(empty_lines.body.size(), 4000U);
  EXPECT_GT(all_turns(&empty_lines, 1000), 10U);
  EXPECT_EQ(empty_lines.body, repeated("\r\n", 16'000));

  ServerRig returns;  // refused at the first of them, and read to the end all the same
  begin_data(&returns);
  returns.session->begin_turn(8);
  returns.feed(repeated("\r", 32'000) + "\r\n.\r\nNOOP\r\n");
  EXPECT_EQ(returns.take_written().find("550"), std::string::npos);
  EXPECT_GT(all_turns(&returns, 10'000), 50U);
  EXPECT_NE(returns.take_written().find("550 5.6.11"), std::string::npos);

  ServerRig chunk;
  chunk.start();
  chunk.say("EHLO client.example.com");
  chunk.say("MAIL FROM:<a@example.com>");
  chunk.say("RCPT TO:<b@example.net>");
  chunk.session->begin_turn(8);
  chunk.feed("BDAT 32000 LAST\r\n" + repeated("\r\n", 16'000));
  EXPECT_LT(chunk.body.size(), 4000U);
  all_turns(&chunk, 1000);
  EXPECT_EQ(chunk.body, repeated("\r\n", 16'000));
}

TEST(ServerTurn, ACommonBodyIsReadInTheSmallestTurn) {
  ServerRig rig;
  begin_data(&rig);
  rig.session->begin_turn(8);
  rig.feed(repeated(std::string(76, 'x') + "\r\n", 130) + ".\r\n");
  EXPECT_EQ(rig.take_events().back(), "message");
  EXPECT_GT(rig.session->work_left(), 4U);
}

TEST(ServerTurn, NoWorkAtAllStillLetsEventsOut) {
  ServerRig rig;
  rig.start();
  rig.session->begin_turn(0);
  rig.feed("NOOP\r\n");
  rig.take_written();
  rig.wait_for_deadline();
  EXPECT_NE(rig.take_written().find("421 4.4.2"), std::string::npos);
  EXPECT_EQ(rig.take_events().back(), "close");
}

}  // namespace
}  // namespace relay::smtp
