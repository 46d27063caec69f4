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
