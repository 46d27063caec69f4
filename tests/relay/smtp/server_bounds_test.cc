// A session that brings no mail ends at some time, whatever the client sends.
#include <gtest/gtest.h>

#include <string>

#include "conf/limits.h"
#include "tests/relay/smtp/server_rig.h"

namespace relay::smtp {
namespace {

conf::Config small_messages() {
  conf::Config config = test_config();
  config.listeners.front().max_message_bytes = 10'000;
  return config;
}

bool closed(ServerRig* rig) { return rig->session->deadline() == conf::kNever && rig->say("NOOP").empty(); }

TEST(ServerBounds, AChunkWithoutAnEndIsNotRead) {
  for (const std::string_view client : {kFriend, kStranger}) {
    ServerRig rig(small_messages(), client);
    rig.start();
    rig.say("EHLO client.example.com");
    EXPECT_TRUE(rig.say("BDAT 18446744073709551615").starts_with("552 5.3.4 ")) << client;
    EXPECT_TRUE(closed(&rig));
  }
  ServerRig rig(small_messages());
  rig.start();
  rig.say("EHLO client.example.com");
  rig.say("MAIL FROM:<a@example.org>");
  rig.say("RCPT TO:<b@example.net>");
  EXPECT_TRUE(rig.say("BDAT 18446744073709551615 LAST").starts_with("552 5.3.4 "));
  EXPECT_TRUE(closed(&rig));
}

TEST(ServerBounds, AMessageThatIsSomewhatTooBigIsReadToItsEndAndRefused) {
  ServerRig rig(small_messages());
  rig.start();
  rig.say("EHLO client.example.com");
  rig.say("MAIL FROM:<a@example.org>");
  rig.say("RCPT TO:<b@example.net>");
  rig.feed("BDAT 15000 LAST\r\n" + std::string(15'000, 'x'));
  EXPECT_TRUE(rig.take_written().starts_with("552 5.3.4 message too big"));
  EXPECT_EQ(rig.say("NOOP"), "250 2.0.0 OK\r\n");
}

TEST(ServerBounds, AMessageWithoutAnEndIsNotReadForEver) {
  ServerRig rig(small_messages());
  rig.start();
  rig.say("EHLO client.example.com");
  rig.say("MAIL FROM:<a@example.org>");
  rig.say("RCPT TO:<b@example.net>");
  rig.say("DATA");
  std::string line(98, 'x');
  line += "\r\n";
  for (int i = 0; i < 10'000; ++i) rig.feed(line);
  EXPECT_EQ(rig.take_written(), "") << "its end is waited for";
  for (int i = 0; i < 1'000; ++i) rig.feed(line);
  EXPECT_TRUE(rig.take_written().starts_with("552 5.3.4 "));
  EXPECT_TRUE(closed(&rig));
}

TEST(ServerBounds, CommandsWithoutMailEndTheSession) {
  ServerRig rig;
  rig.start();
  rig.say("EHLO client.example.com");
  for (uint32_t i = 2; i <= conf::limits::kIdleCommands; ++i) rig.feed("NOOP\r\n");
  rig.take_written();
  rig.say("MAIL FROM:<a@example.org>");
  EXPECT_TRUE(closed(&rig));

  ServerRig busy;
  busy.start();
  busy.say("EHLO client.example.com");
  for (int round = 0; round < 2; ++round) {
    for (uint32_t i = 10; i <= conf::limits::kIdleCommands; ++i) busy.feed("NOOP\r\n");
    busy.take_written();
    busy.say("RSET");
    busy.say("MAIL FROM:<a@example.org>");
    EXPECT_EQ(busy.say("RCPT TO:<b@example.net>"), "250 2.1.5 recipient OK\r\n");
  }
}

}  // namespace
}  // namespace relay::smtp
