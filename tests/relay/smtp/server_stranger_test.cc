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

conf::Config bounce_listener() {
  conf::Config config = test_config();
  config.listeners.front().role = conf::ListenerRole::kBounce;
  conf::ReturnPathSettings path;
  path.domain = "return.example.com";
  config.returns.paths.push_back(path);
  config.returns.feedback = {"fbl@loop.example.com"};
  return config;
}

TEST(ServerOfReturnedMail, TakesWhatComesBackAndNothingElseFromAnybody) {
  for (const std::string_view client : {kStranger, kFriend}) {
    ServerRig rig(bounce_listener(), client);
    rig.start();
    rig.say("EHLO mx.far.test");
    rig.say("MAIL FROM:<>");
    for (const char* ours :
         {"bounces+abc@return.example.com", "BOUNCES+abc@RETURN.example.com", "bounces@return.example.com",
          "postmaster@return.example.com", "FBL@loop.example.com", "postmaster"})
      EXPECT_EQ(rig.say(std::string("RCPT TO:<") + ours + ">"), "250 2.1.5 recipient OK\r\n") << ours;
    for (const char* other :
         {"ann@example.net", "bouncesx@return.example.com", "ann@return.example.com",
          "bounces+abc@return.example.net", "postmaster@relay.example.com", "bounce@return.example.com"})
      EXPECT_EQ(rig.say(std::string("RCPT TO:<") + other + ">"),
                "550 5.7.1 only mail that comes back is taken here\r\n")
          << other;
  }
}

}  // namespace
}  // namespace relay::smtp
