// A stranger may not relay, and whatever is taken from him makes no mail to a sender that he may have forged.
#include <gtest/gtest.h>

#include "tests/relay/smtp/server_rig.h"

namespace relay::smtp {
namespace {

conf::Config with_postmaster() {
  conf::Config config = test_config();
  config.postmaster = "ops@example.org";
  return config;
}

void offer(ServerRig* rig) {
  rig->start();
  rig->say("EHLO client.example.com");
  rig->say("MAIL FROM:<victim@example.net> RET=FULL ENVID=letter");
  EXPECT_EQ(rig->say("RCPT TO:<postmaster> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a@example.net"),
            "250 2.1.5 recipient OK\r\n");
  rig->say("DATA");
  rig->say("Subject: x\r\n\r\npayload\r\n.");
}

TEST(ServerStranger, AsksForNoReportAndGetsNone) {
  ServerRig rig(with_postmaster(), kStranger);
  offer(&rig);
  ASSERT_EQ(rig.envelope.recipients.size(), 1U);
  EXPECT_EQ(rig.envelope.recipients[0].mailbox.text(), "ops@example.org");
  EXPECT_EQ(rig.envelope.recipients[0].notify, conf::kNotifyNever);
  EXPECT_EQ(rig.envelope.recipients[0].orcpt, "");
  EXPECT_EQ(rig.envelope.ret, conf::Ret::kUnset);
  EXPECT_EQ(rig.envelope.envid, "");
}

TEST(ServerStranger, WhoMayRelayKeepsWhatHeAskedFor) {
  ServerRig rig(with_postmaster(), kFriend);
  offer(&rig);
  ASSERT_EQ(rig.envelope.recipients.size(), 1U);
  EXPECT_EQ(rig.envelope.recipients[0].notify,
            conf::kNotifySuccess | conf::kNotifyFailure | conf::kNotifyDelay);
  EXPECT_EQ(rig.envelope.ret, conf::Ret::kFull);
  EXPECT_EQ(rig.envelope.envid, "letter");
}

TEST(ServerStranger, ThePostmasterGetsOneCopy) {
  ServerRig rig(with_postmaster(), kStranger);
  rig.start();
  rig.say("EHLO client.example.com");
  rig.say("MAIL FROM:<victim@example.net>");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(rig.say("RCPT TO:<postmaster>"), "250 2.1.5 recipient OK\r\n");
  rig.say("DATA");
  rig.say("Subject: x\r\n\r\npayload\r\n.");
  EXPECT_EQ(rig.envelope.recipients.size(), 1U);
}

}  // namespace
}  // namespace relay::smtp
