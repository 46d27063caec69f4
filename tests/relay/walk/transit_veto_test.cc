// Who may not be written to: the veto at each step of the walk.
#include <gtest/gtest.h>

#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using conf::EventKind;

class TransitVetoTest : public WalkRig {};

TEST_F(TransitVetoTest, MailThatNobodyVetoesIsDelivered) {
  start();
  submit({"a@one.test", "b@one.test", "c@two.test"});
  std::sort(server_.recipients.begin(), server_.recipients.end());
  EXPECT_EQ(server_.recipients, (std::vector<std::string>{"a@one.test", "b@one.test", "c@two.test"}));
  EXPECT_EQ(events_.of(EventKind::kDelivered).size(), 3U);
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitVetoTest, AVetoedRecipientFailsBeforeItsDomainIsLookedUp) {
  start();
  list_.listed = {"a@one.test"};
  submit({"a@one.test"});
  const std::vector<conf::DeliveryEvent> failed = events_.of(EventKind::kFailed);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].stage, conf::Stage::kLocal);
  EXPECT_NE(failed[0].reply.find("in quarantine"), std::string::npos);
  EXPECT_TRUE(names_.asked.empty());
  EXPECT_EQ(spool_.message_count(), 0U);
  EXPECT_GT(list_.asked, 1U);
  EXPECT_EQ(list_.carried, 1U) << "it is carried out once, however often it is asked for";
}

TEST_F(TransitVetoTest, AVetoEndsOneRecipientAndLetsTheOthersOfTheDomainPass) {
  start();
  list_.listed = {"a@one.test"};
  submit({"a@one.test", "b@one.test"});
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"b@one.test"});
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kDelivered).size(), 1U);
}

TEST_F(TransitVetoTest, AVetoWithA4yzIsAskedAgainByTheSchedule) {
  start();
  list_.listed = {"a@one.test"};
  list_.reply = bounce::Reply::make(450, "4.7.1 not today");
  submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  EXPECT_TRUE(server_.recipients.empty());
  list_.listed.clear();
  pass(15min);
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"a@one.test"});
}

TEST_F(TransitVetoTest, AVetoThatComesWhileTheMailWaitsHoldsForTheNextAttempt) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  submit({"a@one.test"});
  ASSERT_EQ(events_.of(EventKind::kDeferred).size(), 1U);
  server_.to_rcpt = "250 2.1.5 ok";
  list_.listed = {"a@one.test"};
  pass(15min);
  EXPECT_TRUE(server_.recipients.empty());
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
}

// Its record is not in memory when it is routed: the veto is asked before it is sent.
TEST_F(TransitVetoTest, AVetoHoldsForMailThatRestsInTheSpoolOnly) {
  config_->spool.body_memory_bytes = 0;
  start();
  list_.listed = {"a@one.test"};
  submit({"a@one.test", "b@one.test"});
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"b@one.test"});
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
}

}  // namespace
}  // namespace relay
