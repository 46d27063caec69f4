#include "relay/walk/report_mail.h"

#include <gtest/gtest.h>

#include "tests/relay/manual_clock.h"

namespace relay {
namespace {

std::string report_of(uint16_t code, const std::string& reply, bool blamed) {
  spool::MessageRecord about;
  about.id = 7;
  about.envelope.reverse_path = *conf::Mailbox::parse("sender@home.test");
  spool::RecipientRecord& recipient = about.recipients.emplace_back();
  recipient.recipient.mailbox = *conf::Mailbox::parse("ann@far.test");
  recipient.state = spool::RecipientState::kFailed;
  recipient.reply_code = code;
  recipient.last_reply = reply;
  recipient.blamed = blamed;
  conf::Config config;
  config.hostname = "relay.test";
  const ManualClock system;
  const spool::RelayClock clock(&system, "boot");
  return std::string(write_report(about, "Subject: x\r\n\r\n", {{0}}, config, clock, 8).body.view());
}

TEST(ReportMail, AStatusThatTheServerDidNotSayIsThatOfItsWords) {
  const auto has = [](const std::string& report, const char* status) {
    return report.find("\r\nStatus: " + std::string(status) + "\r\n") != std::string::npos;
  };
  EXPECT_TRUE(has(report_of(550, "no such user here", true), "5.1.1"));
  EXPECT_TRUE(has(report_of(550, "domain does not exist", true), "5.1.2"));
  EXPECT_TRUE(has(report_of(550, "this account has been disabled", true), "5.2.1"));
  EXPECT_TRUE(has(report_of(550, "no such user here", false), "5.0.0")) << "it was not about the address";
}

}  // namespace
}  // namespace relay
