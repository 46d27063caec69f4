// Reports of delays and failures, over restarts and crashes.
#include <gtest/gtest.h>

#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

using conf::EventKind;

class TransitReportTest : public WalkRig {};

TEST_F(TransitReportTest, ASenderWhoAsksIsToldOnceThatHisMailIsLate) {
  refuse_for_now();
  start();
  const conf::MessageId id = submit({"a@one.test"}, "sender@home.test", conf::kNotifyDelay);
  for (int i = 0; i < 7; ++i) pass(30min);
  EXPECT_TRUE(events_.of(EventKind::kReportSent).empty()) << "it is not late";
  pass(30min);
  ASSERT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  const conf::DeliveryEvent told = events_.of(EventKind::kReportSent)[0];
  EXPECT_EQ(told.related, id);
  EXPECT_EQ(told.recipient, "sender@home.test");
  EXPECT_EQ(told.reverse_path, "");
  transit_->close();
  start();
  for (int i = 0; i < 20; ++i) pass(30min);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U) << "nor after a restart";
  server_.to_rcpt = "250 2.1.5 ok";
  for (int i = 0; i < 4; ++i) pass(30min);
  const std::string& wire = server_.wire;
  for (const char* field :
       {"Auto-Submitted: auto-replied\r\n", "Final-Recipient: rfc822; a@one.test\r\nAction: delayed\r\n",
        "Status: 4.2.2\r\n", "Diagnostic-Code: smtp; 452 4.2.2 mailbox full\r\n", "\r\nWill-Retry-Until: "})
    EXPECT_NE(wire.find(field), std::string::npos) << field << wire;
  EXPECT_EQ(spool_.message_count(), 0U);
}

TEST_F(TransitReportTest, ACrashAfterTheReportOfADelayDoesNotReportTwice) {
  refuse_for_now();
  start();
  submit({"a@one.test"}, "sender@home.test", conf::kNotifyDelay);
  names_.slow = true;  // nothing else is written
  pass(4h);
  ASSERT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  spool_.crash();
  transit_.reset();
  names_.slow = false;
  names_.later.clear();
  start();
  for (int i = 0; i < 20; ++i) pass(30min);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
}

TEST_F(TransitReportTest, NobodyIsToldOfADelayWhoDidNotAskOrWhoseMailArrived) {
  refuse_for_now();
  start();
  submit({"a@one.test"}, "sender@home.test");
  submit({"a@one.test"}, "sender@home.test", conf::kNotifyNever);
  submit({"a@one.test"}, "sender@home.test", conf::kNotifyFailure | conf::kNotifySuccess);
  submit({"a@one.test"}, "", conf::kNotifyDelay);  // it is a report itself
  server_.to_rcpt = "250 2.1.5 ok";
  submit({"a@two.test"}, "sender@home.test", conf::kNotifyDelay);
  server_.to_rcpt = "452 4.2.2 mailbox full";
  for (int i = 0; i < 20; ++i) pass(30min);
  EXPECT_TRUE(events_.of(EventKind::kReportSent).empty());
}

TEST_F(TransitReportTest, WithDelayReportsSendersWhoSaidNothingAreToldToo) {
  refuse_for_now();
  config_->defaults.delay_reports = true;
  config_->defaults.delay_report_after = 2h;
  start();
  submit({"a@one.test"}, "sender@home.test");
  submit({"a@one.test"}, "sender@home.test", conf::kNotifyFailure);
  for (int i = 0; i < 20; ++i) pass(30min);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
}

TEST_F(TransitReportTest, RecipientsThatAreLateTogetherShareAReportThoughOneIsHeld) {
  refuse_for_now();
  start();
  const conf::MessageId id =
      submit({"a@one.test", "b@one.test", "c@two.test"}, "sender@home.test", conf::kNotifyDelay);
  EXPECT_TRUE(transit_->orders().hold(id));
  pass(5h);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  server_.to_rcpt = "250 2.1.5 ok";
  pass(2h);
  size_t told = 0;
  for (size_t at = 0; (at = server_.wire.find("Action: delayed", at)) != std::string::npos; ++at) ++told;
  EXPECT_EQ(told, 3U);
  EXPECT_EQ(spool_.message_count(), 1U) << "it is on hold";
}

TEST_F(TransitReportTest, AnOrderlyEndWhileAReportIsBeingStoredDoesNotReportTwice) {
  start();
  server_.to_rcpt = "550 5.1.1 nobody of that name";
  submit({"a@one.test"}, "");
  names_.slow = true;  // the report stays here
  spool::MessageRecord record;
  record.id = transit_->next_id();
  record.envelope.reverse_path = conf::Mailbox::parse("sender@home.test").value();
  record.recipients.push_back({{conf::Mailbox::parse("a@one.test").value()}});
  transit_->accept(std::move(record), conf::Bytes("Subject: x\r\n\r\nx\r\n"),
                   [](const conf::Result<spool::Receipt>&) {});
  spool_.run_batch();
  transit_->step(clock_.time);
  while (server_.work()) transit_->step(clock_.time);
  EXPECT_TRUE(events_.of(EventKind::kReportSent).empty()) << "it is being stored";
  transit_->close();
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  spool_.crash();  // what close() did not wait for never reaches the disk
  names_.slow = false;
  names_.later.clear();
  start();
  run();
  pass(1h);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
}

// The message is in the spool only when it is given up: its report needs it read first, and the end comes
// then.
TEST_F(TransitReportTest, AnOrderlyEndWhileTheMessageOfAReportIsBeingReadDoesNotReportTwice) {
  refuse_for_now();
  start();
  const conf::MessageId id = submit({"a@one.test"}, "sender@home.test");
  names_.slow = true;  // the report stays here
  ASSERT_TRUE(transit_->orders().fail(id, "operator"));
  transit_->step(clock_.time);
  EXPECT_TRUE(events_.of(EventKind::kReportSent).empty());
  transit_->close();
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  spool_.crash();
  names_.slow = false;
  names_.later.clear();
  start();
  run();
  pass(1h);
  EXPECT_EQ(events_.of(EventKind::kReportSent).size(), 1U);
  EXPECT_EQ(events_.of(EventKind::kFailed).size(), 1U);
}

}  // namespace
}  // namespace relay
