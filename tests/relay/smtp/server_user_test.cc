// What a user who logged in may do: the senders that he may use, and how much.
#include <gtest/gtest.h>

#include <array>
#include <new>
#include <utility>

#include "tests/relay/smtp/server_rig.h"

namespace relay::smtp {
namespace {

void log_in(ServerRig* rig, const char* login) {
  rig->start();
  rig->say("EHLO client.example.com");
  rig->say(std::string("AUTH PLAIN ") + login);
  rig->session->auth_result(AuthOutcome::kGood, rig->now);
  rig->drain();
  rig->take_written();
}

conf::Config with_senders() {
  conf::Config config = test_config();
  config.listeners.front().auth = true;
  config.listeners.front().auth_without_tls = true;
  config.users.front().senders = {"shop.example", "ann@example.com"};
  config.users.front().messages_per_hour = 5;
  config.users.push_back({"crm", "hash"});
  return config;
}

constexpr const char* kShop = "AHNob3AAeA==";  // \0shop\0x
constexpr const char* kCrm = "AGNybQB4";       // \0crm\0x

TEST(ServerUser, MaySendAsHisSendersOnly) {
  ServerRig rig(with_senders(), kStranger);
  log_in(&rig, kShop);
  EXPECT_EQ(rig.say("MAIL FROM:<ceo@example.com>"), "550 5.7.1 you may not send as this sender\r\n");
  Trouble trouble;
  ASSERT_TRUE(rig.session->next_trouble(&trouble));
  EXPECT_EQ(trouble.reason, conf::DoorReason::kSenderDenied);
  EXPECT_EQ(trouble.detail, "shop as <ceo@example.com>");
  EXPECT_EQ(rig.say("MAIL FROM:<>").substr(0, 9), "550 5.7.1");
  EXPECT_EQ(rig.say("MAIL FROM:<order@SHOP.example>").substr(0, 3), "250");
  rig.say("RSET");
  EXPECT_EQ(rig.say("MAIL FROM:<Ann@example.com>").substr(0, 3), "250");
}

TEST(ServerUser, WithoutSendersAnyoneAndWhoDidNotLogInToo) {
  ServerRig rig(with_senders(), kStranger);
  log_in(&rig, kCrm);
  EXPECT_EQ(rig.say("MAIL FROM:<ceo@example.com>").substr(0, 3), "250");
  ServerRig other(with_senders(), kFriend);
  other.start();
  other.say("EHLO client.example.com");
  EXPECT_EQ(other.say("MAIL FROM:<ceo@example.com>").substr(0, 3), "250");
}

// Who submits without a login is heard of, as everybody who is refused at the door; so is mail that says at
// once that it is too big.
TEST(ServerUser, MailWithoutALoginLeavesATrace) {
  conf::Config config = with_senders();
  config.listeners.front().auth_required = true;
  config.listeners.front().max_message_bytes = 1000;
  ServerRig rig(config, kStranger);
  rig.start();
  rig.say("EHLO client.example.com");
  EXPECT_EQ(rig.say("MAIL FROM:<order@shop.example>"), "530 5.7.0 authentication required\r\n");
  Trouble trouble;
  ASSERT_TRUE(rig.session->next_trouble(&trouble));
  EXPECT_STREQ(conf::to_text(trouble.reason), "login_wanted");
  EXPECT_EQ(trouble.detail, "order@shop.example");
  config.listeners.front().auth_required = false;
  ServerRig other(config, kFriend);
  other.start();
  other.say("EHLO client.example.com");
  EXPECT_EQ(other.say("MAIL FROM:<order@shop.example> SIZE=1001").substr(0, 3), "552");
  ASSERT_TRUE(other.session->next_trouble(&trouble));
  EXPECT_EQ(trouble.reason, conf::DoorReason::kMessageRefused);
}

TEST(ServerUser, MailWaitsWhenHisHourIsUsedUp) {
  ServerRig rig(with_senders(), kStranger);
  log_in(&rig, kShop);
  rig.gate.used_up = "450 4.7.1 not now";
  EXPECT_EQ(rig.say("MAIL FROM:<order@shop.example>"), "450 4.7.1 not now\r\n");
  Trouble trouble;
  ASSERT_TRUE(rig.session->next_trouble(&trouble));
  EXPECT_EQ(trouble.reason, conf::DoorReason::kTooManyMessages);
  rig.gate.used_up.clear();
  EXPECT_EQ(rig.say("MAIL FROM:<order@shop.example>").substr(0, 3), "250");
}

// A short text lies in a std::string itself, and a copy stays wherever such an event was: all but the first
// octet, in the place of which a moved-from string has its end.
TEST(ServerUser, HisSecretLeavesNoCopyInTheEventsItPassesThrough) {
  ServerRig rig(with_senders(), kStranger);
  rig.start();
  rig.say("EHLO client.example.com");
  rig.session->receive("AUTH PLAIN AGNybQB0aW55c2VjcmV0\r\n", rig.now);  // \0crm\0tinysecret
  alignas(ServerEvent) std::array<char, sizeof(ServerEvent)> place{};
  auto* event = new (place.data()) ServerEvent();
  while (rig.session->next_event(event, rig.now) && event->kind != ServerEvent::Kind::kAuthenticate) {
  }
  const ServerEvent last = std::move(*event);
  event->~ServerEvent();
  EXPECT_EQ(last.secret.view(), "tinysecret");
  EXPECT_EQ(std::string_view(place.data(), place.size()).find("inysecret"), std::string_view::npos);
}

}  // namespace
}  // namespace relay::smtp
