#include "bench/sink/receiver.h"

#include <gtest/gtest.h>

namespace bench {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

struct Talk {
  explicit Talk(Group rules) : group(std::move(rules)), site(group, 1, conf::Instant(0us)) {
    receiver.visit(&site, "127.0.0.1", "");
    receiver.greet(&replies);
    replies.clear();
  }
  // What is answered, also to what stands after the end of a message.
  std::string say(std::string_view text) {
    replies.clear();
    while (!text.empty() && !receiver.finished()) {
      text.remove_prefix(receiver.feed(text, &replies));
      if (receiver.message_taken() && !receiver.reply_lost()) replies.append(Receiver::accept_reply());
      size_t from = 0;
      if (const conf::Duration pause = receiver.pause(&from); pause.count() > 0) {
        paused = pause;
        held = replies.substr(from);
        break;
      }
    }
    return replies;
  }
  Group group;
  Site site;
  SinkOptions options;
  Tally tally;
  conf::Random random{1};
  std::string replies, held;
  conf::Duration paused{0};
  Receiver receiver{options, &tally, &random};
};

constexpr std::string_view kMessage =
    "MAIL FROM:<a@b.test>\r\nRCPT TO:<user1@c.test>\r\nDATA\r\nX-Load-Id: p-1\r\n\r\nx\r\n.\r\n";

TEST(Receiver, SaysTheSitesWordsAndClosesAtTheLimit) {
  Group group;
  group.wording = "yahoo";
  group.max_messages_per_connection = 1;
  Talk talk(group);
  talk.say("EHLO x\r\n");
  EXPECT_NE(talk.say(kMessage).find("250 2.0.0 Ok: taken\r\n"), std::string::npos);
  EXPECT_EQ(talk.receiver.message_id(), "p-1");
  EXPECT_EQ(talk.say(kMessage), "421 Max message per connection reached, closing transmission channel\r\n");
  EXPECT_TRUE(talk.receiver.finished());
  EXPECT_EQ(talk.tally.messages, 1U);
  EXPECT_EQ(talk.site.tally().broken[static_cast<size_t>(Limit::kMessagesPerConnection)], 1U);
}

TEST(Receiver, LosesTheReplyOfAStoredMessage) {
  Group group;
  group.faults.push_back({Stage::kStored, FaultKind::kDrop});
  Talk talk(group);
  talk.say("EHLO x\r\n");
  EXPECT_EQ(talk.say(kMessage), "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead\r\n");
  EXPECT_TRUE(talk.receiver.finished());
  EXPECT_EQ(talk.tally.messages, 1U);
}

TEST(Receiver, DropsAtTheDotWithoutTakingTheMessage) {
  Group group;
  group.faults.push_back({Stage::kDot, FaultKind::kDrop});
  Talk talk(group);
  talk.say("EHLO x\r\n");
  talk.say(kMessage);
  EXPECT_TRUE(talk.receiver.finished());
  EXPECT_EQ(talk.tally.messages, 0U);
  EXPECT_EQ(talk.site.tally().dropped, 1U);
}

TEST(Receiver, HoldsOnlyTheSlowReply) {
  Group group;
  group.faults.push_back({Stage::kRcpt, FaultKind::kDelay, 1, "", 2s});
  Talk talk(group);
  talk.say("EHLO x\r\n");
  talk.say(kMessage);
  EXPECT_EQ(talk.paused, 2s);
  EXPECT_EQ(talk.replies, "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
  EXPECT_EQ(talk.held, "250 2.1.5 Ok\r\n");
}

}  // namespace
}  // namespace bench
