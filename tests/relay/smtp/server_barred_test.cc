// A recipient that may not be written to is refused alone, and an old list is no error of the client.
#include <gtest/gtest.h>

#include "tests/relay/smtp/server_rig.h"

namespace relay::smtp {
namespace {

TEST(ServerBarred, TheOthersGoOnHoweverManyAreBarred) {
  ServerRig rig;
  rig.gate.barred = "dead@x.example";
  rig.start();
  rig.say("EHLO client.example.com");
  rig.say("MAIL FROM:<news@shop.example>");
  for (int i = 0; i < 200; ++i) ASSERT_EQ(rig.say("RCPT TO:<dead@x.example>"), "550 5.1.1 barred\r\n") << i;
  EXPECT_EQ(rig.say("RCPT TO:<ann@x.example>"), "250 2.1.5 recipient OK\r\n");
  rig.say("DATA");
  rig.say("Subject: x\r\n\r\npayload\r\n.");
  ASSERT_EQ(rig.envelope.recipients.size(), 1U);
  EXPECT_EQ(rig.envelope.recipients[0].mailbox.text(), "ann@x.example");
}

}  // namespace
}  // namespace relay::smtp
