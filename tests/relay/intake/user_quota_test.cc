// [[user]] messages_per_hour, over several connections and their messages on the way to the disk.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "relay/intake/reception.h"
#include "tests/relay/net/quiet_transport.h"
#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

struct Talk {
  TransportUser* session = nullptr;
  std::string said;
  std::string say(const std::string& text) {
    said.clear();
    session->on_bytes(text);
    return said;
  }
};

struct TalkTransport final : QuietTransport {
  explicit TalkTransport(Talk* t) : talk(t) {}
  void set_user(TransportUser* user) override { talk->session = user; }
  void hear(const std::string& bytes) override { talk->said += bytes; }
  Talk* talk;
};

class UserQuotaTest : public WalkRig {
 protected:
  UserQuotaTest() {
    conf::Listener listener;
    listener.name = "in";
    listener.auth = listener.auth_without_tls = true;
    config_->listeners.push_back(listener);
    config_->users.push_back({"shop", "hash"});
    config_->users.front().messages_per_hour = 2;
    start();
    const auto right = [](const conf::ConfigPtr&, const std::string&, const std::string&, const conf::Secret&,
                          const Reception::AuthDone& done) { done(smtp::AuthOutcome::kGood); };
    reception_ =
        std::make_unique<Reception>(config_, transit_.get(), &clock_, right,
                                    [this](const conf::DoorEvent& event) { told_.push_back(event); });
  }
  void log_in(Talk* talk) {
    Accepted accepted;
    accepted.transport = std::make_unique<TalkTransport>(talk);
    accepted.client_address = "203.0.113.5";
    reception_->accept("in", false, std::move(accepted));
    talk->say("EHLO c.test\r\n");
    EXPECT_EQ(talk->say("AUTH PLAIN AHNob3AAeA==\r\n").substr(0, 3), "235");
  }
  // All but the final dot.
  static std::string begin(Talk* talk) {
    const std::string answer = talk->say("MAIL FROM:<a@shop.test>\r\n");
    if (answer.substr(0, 3) != "250") return answer;
    talk->say("RCPT TO:<u@d.test>\r\n");
    return talk->say("DATA\r\n").substr(0, 3);
  }
  std::string end(Talk* talk) {
    talk->say("Subject: x\r\n\r\nx\r\n.\r\n");
    run();
    return talk->said.substr(0, 9);
  }
  std::vector<conf::DoorEvent> told_;
  std::unique_ptr<Reception> reception_;
};

TEST_F(UserQuotaTest, HoldsOverConnectionsThatBeganBeforeItWasUsedUp) {
  Talk one, two, three;
  for (Talk* each : {&one, &two, &three}) {
    log_in(each);
    EXPECT_EQ(begin(each), "354");
  }
  EXPECT_EQ(end(&one).substr(0, 3), "250");
  EXPECT_EQ(end(&two).substr(0, 3), "250");
  EXPECT_EQ(end(&three), "450 4.7.1");
  EXPECT_EQ(begin(&one), "450 4.7.1 2 messages an hour are allowed to you, try again later\r\n");
  EXPECT_EQ(events_.of(conf::EventKind::kAccepted).size(), 2U);
  reception_->abandon();
  ASSERT_EQ(told_.size(), 2U);
  for (const conf::DoorEvent& event : told_) EXPECT_EQ(event.reason, conf::DoorReason::kTooManyMessages);
}

TEST_F(UserQuotaTest, ComesBackAfterAnHourAndCountsNoMessageThatCouldNotBeStored) {
  Talk talk;
  log_in(&talk);
  spool_.fail_next_stores(1, conf::ErrorCode::kNoSpace);
  EXPECT_EQ(begin(&talk), "354");
  EXPECT_EQ(end(&talk), "452 4.3.1");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(begin(&talk), "354");
    EXPECT_EQ(end(&talk).substr(0, 3), "250");
  }
  clock_.time += 59min;
  EXPECT_EQ(begin(&talk).substr(0, 9), "450 4.7.1");
  clock_.time += 6min;
  EXPECT_EQ(begin(&talk), "354");
}

}  // namespace
}  // namespace relay
