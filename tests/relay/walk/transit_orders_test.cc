// Orders about single messages on the walk.
#include <gtest/gtest.h>

#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using conf::EventKind;

class TransitOrderTest : public WalkRig {};

TEST_F(TransitOrderTest, HeldMailStaysHeldOverARestartUntilItIsReleased) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  const conf::MessageId id = submit({"a@one.test"});
  EXPECT_TRUE(transit_->orders().hold(id));
  EXPECT_TRUE(transit_->orders().hold(id)) << "it is held, and stays so";
  EXPECT_EQ(transit_->resting().held(), 1U);
  run();
  transit_->close();
  start();
  EXPECT_EQ(transit_->resting().held(), 1U);
  server_.to_rcpt = "250 2.1.5 ok";
  pass(15min);
  EXPECT_TRUE(server_.recipients.empty());
  EXPECT_FALSE(transit_->orders().retry(id));
  EXPECT_TRUE(transit_->orders().release(id));
  run();
  EXPECT_EQ(server_.recipients, std::vector<std::string>{"a@one.test"});
  EXPECT_EQ(transit_->resting().held(), 0U);
}

TEST_F(TransitOrderTest, AnOrderAboutVeryManyDomainsIsCarriedOutInSeveralSteps) {
  start();
  refuse_for_now();
  std::vector<std::string> recipients;
  for (int i = 0; i < 600; ++i) recipients.push_back("a@d" + std::to_string(i) + ".test");
  const conf::MessageId id = submit(recipients);
  ASSERT_EQ(transit_->resting().scheduled(), 600U);
  EXPECT_TRUE(transit_->orders().hold(id));
  EXPECT_EQ(transit_->resting().held(), 256U);
  run();
  EXPECT_EQ(transit_->resting().held(), 600U);
  EXPECT_TRUE(transit_->orders().drop(id, "anna (uid 7)"));
  run();
  EXPECT_EQ(events_.of(EventKind::kDropped).size(), 600U);
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitOrderTest, ADroppedMessageEndsWithoutAReport) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  const conf::MessageId id = submit({"a@one.test", "b@two.test"});
  EXPECT_TRUE(transit_->orders().drop(id, "anna (uid 7)"));
  run();
  EXPECT_FALSE(transit_->orders().drop(id, "anna (uid 7)")) << "it has gone";
  ASSERT_EQ(events_.of(EventKind::kDropped).size(), 2U);
  EXPECT_EQ(events_.of(EventKind::kDropped)[0].reply, "dropped by an operator: anna (uid 7)");
  EXPECT_TRUE(events_.of(EventKind::kReportSent).empty());
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitOrderTest, AMessageThatIsGivenUpFailsWithAReport) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  const conf::MessageId id = submit({"a@one.test", "b@two.test"}, "sender@home.test");
  run();
  server_.to_rcpt = "250 2.1.5 ok";
  EXPECT_TRUE(transit_->orders().fail(id, "anna (uid 7)"));  // though its next attempt is an hour away
  run();
  EXPECT_FALSE(transit_->orders().fail(id, "anna (uid 7)")) << "it has gone";
  const auto failed = events_.of(EventKind::kFailed);
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_EQ(failed[0].enhanced_status, "5.3.0");
  EXPECT_EQ(failed[0].rule, "operator anna (uid 7)");
  const auto of_kind = [](EventKind kind) {
    return [kind](const conf::DeliveryEvent& event) { return event.kind == kind; };
  };
  const auto& all = events_.all;
  EXPECT_LT(std::find_if(all.begin(), all.end(), of_kind(EventKind::kFailed)),
            std::find_if(all.begin(), all.end(), of_kind(EventKind::kReportSent)));
  EXPECT_EQ(failed[0].type, conf::ErrorType::kIgnored) << "no address is to blame";
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 2U);
  EXPECT_EQ(server_.recipients, (std::vector<std::string>{"sender@home.test", "sender@home.test"}));
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitOrderTest, AHeldMessageCanBeGivenUp) {
  start();
  server_.to_rcpt = "451 4.3.0 later";
  const conf::MessageId id = submit({"a@one.test"});
  EXPECT_TRUE(transit_->orders().hold(id));
  run();
  EXPECT_TRUE(transit_->orders().fail(id, "anna (uid 7)"));
  run();
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
  EXPECT_EQ(transit_->resting().held(), 0U);
}

TEST_F(TransitOrderTest, WhoGaveAMessageUpStandsWithEachRecipientAndIsForgottenWithTheMessage) {
  refuse_for_now();
  start();
  const conf::MessageId id = submit({"a@one.test", "b@two.test"});
  ASSERT_TRUE(transit_->orders().fail(id, "anna"));
  run();
  const std::vector<conf::DeliveryEvent> failed = events_.of(EventKind::kFailed);
  ASSERT_EQ(failed.size(), 2U);
  for (const conf::DeliveryEvent& each : failed) EXPECT_EQ(each.rule, "operator anna");
  EXPECT_EQ(transit_->orders().giver_of(id), "");
}

// What waits on a path is looked at once a minute: the order ends between two looks.
TEST_F(TransitOrderTest, MailWhoseValidityEndedWhileItsPathWasHeldIsNeverSent) {
  config_->defaults.retry.validity = 1h;
  for (const uint64_t body_memory : {config_->spool.body_memory_bytes, uint64_t{0}}) {
    config_->spool.body_memory_bytes = body_memory;
    start();
    path_to("one.test")->holds.order_until(clock_.time + 1h + 45s);
    submit({"a@one.test"});
    pass(30s);
    submit({"b@one.test"});
    pass(59min + 30s);
    EXPECT_EQ(events_.of(EventKind::kExpired).size(), 1U) << "the first";
    ASSERT_EQ(transit_->dispatcher().ready(), 1U);
    pass(45s);
    EXPECT_EQ(events_.of(EventKind::kExpired).size(), 2U);
    EXPECT_TRUE(server_.recipients.empty());
    EXPECT_EQ(spool_.message_count(), 0U);
    submit({"c@one.test"});
    EXPECT_EQ(server_.recipients, std::vector<std::string>{"c@one.test"});
    server_.recipients.clear();
    events_.all.clear();
    transit_->close();
  }
}

}  // namespace
}  // namespace relay
