#include "bench/sink/receiver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

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
      if (receiver.message_taken() && !receiver.reply_lost(replies)) replies.append(Receiver::accept_reply());
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

Group ill_mannered(Stage at, FaultKind kind) {
  Group group;
  group.faults.push_back({at, kind});
  return group;
}

TEST(Receiver, HasTheIllMannersOfAScenario) {
  Talk deaf(ill_mannered(Stage::kMail, FaultKind::kLose));
  deaf.say("EHLO x\r\n");
  EXPECT_EQ(deaf.say("MAIL FROM:<a@b.test>\r\nRCPT TO:<user1@c.test>\r\n"), "503 5.5.1 MAIL first\r\n");
  Talk twice(ill_mannered(Stage::kRset, FaultKind::kTwice));
  EXPECT_EQ(twice.say("RSET\r\nNOOP\r\n"), "250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n");
  Talk early(ill_mannered(Stage::kData, FaultKind::kEarly));
  early.say("EHLO x\r\n");
  EXPECT_EQ(early.say(kMessage), "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead\r\n250 2.0.0 Ok: taken\r\n");
  EXPECT_EQ(early.tally.messages, 0U) << "told of, and stored nowhere";
  Talk hasty(ill_mannered(Stage::kStored, FaultKind::kLeave));
  hasty.say("EHLO x\r\n");
  EXPECT_NE(hasty.say(kMessage).find("250 2.0.0 Ok: taken\r\n"), std::string::npos);
  EXPECT_TRUE(hasty.receiver.finished());
  EXPECT_EQ(hasty.site.tally().ill_mannered, 1U);
  Talk endless(ill_mannered(Stage::kEhlo, FaultKind::kEndless));
  EXPECT_EQ(endless.say("EHLO x\r\n"), "");
  EXPECT_TRUE(endless.receiver.endless());
}

TEST(Receiver, TakesBackWhatItOffered) {
  Group group;
  group.refuses_offered = true;
  Talk talk(group);
  talk.say("EHLO x\r\n");
  EXPECT_EQ(talk.say("MAIL FROM:<a@b.test> SIZE=1\r\n"), "555 5.5.4 Unsupported option: SIZE=1\r\n");
  EXPECT_EQ(talk.say("MAIL FROM:<a@b.test>\r\nRCPT TO:<user1@c.test> NOTIFY=NEVER\r\n"),
            "250 2.1.0 Ok\r\n555 5.5.4 Unsupported option: NOTIFY=NEVER\r\n");
}

TEST(Receiver, HasSomeFaultsUnderTlsOnly) {
  Group group;
  group.tls = TlsUse::kOffered;
  group.faults.push_back({Stage::kMail, FaultKind::kDrop});
  group.faults.back().in_tls = true;
  Talk clear(group);
  clear.say("EHLO x\r\n");
  EXPECT_EQ(clear.say("MAIL FROM:<a@b.test>\r\n"), "250 2.1.0 Ok\r\n");
  Talk secret(group);
  secret.receiver.tls_established();
  secret.say("EHLO x\r\n");
  EXPECT_EQ(secret.say("MAIL FROM:<a@b.test>\r\n"), "");
  EXPECT_TRUE(secret.receiver.finished());
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

TEST(Receiver, DropsAtEachPlaceThatAScenarioCanName) {
  const struct {
    Stage at;
    const char* last;  // what the sender hears last
  } cases[] = {{Stage::kEhlo, ""},
               {Stage::kMail, "250 SIZE\r\n"},
               {Stage::kRcpt, "250 2.1.0 Ok\r\n"},
               {Stage::kData, "250 2.1.5 Ok\r\n"},
               {Stage::kContent, "354 Go ahead\r\n"},
               {Stage::kDot, "354 Go ahead\r\n"},
               {Stage::kStored, "354 Go ahead\r\n"},
               {Stage::kRset, "250 2.0.0 Ok: taken\r\n"},
               {Stage::kQuit, "250 2.0.0 Ok\r\n"}};
  for (const auto& one : cases) {
    Group group;
    group.faults.push_back({one.at, FaultKind::kDrop});
    Talk talk(group);
    std::string heard;
    for (std::string_view text : {std::string_view("EHLO x\r\n"), kMessage, std::string_view("RSET\r\n"),
                                  std::string_view("QUIT\r\n")}) {
      // Line by line, so that content comes apart from DATA.
      while (!text.empty() && !talk.receiver.finished()) {
        const size_t end = text.find('\n') + 1;
        heard += talk.say(text.substr(0, end));
        text.remove_prefix(end);
      }
    }
    const std::string last = heard.substr(heard.size() - std::min(heard.size(), std::strlen(one.last)));
    EXPECT_EQ(last, one.last) << kStageNames[static_cast<size_t>(one.at)];
    EXPECT_TRUE(talk.receiver.finished());
    EXPECT_EQ(talk.site.tally().dropped, 1U) << kStageNames[static_cast<size_t>(one.at)];
    EXPECT_EQ(talk.tally.messages, one.at >= Stage::kStored ? 1U : 0U);
  }
}

TEST(Receiver, HoldsContentBackThatComesThroughASlowPlace) {
  Group group;
  group.faults.push_back({Stage::kContent, FaultKind::kDelay, 1, "", 3s});
  Talk talk(group);
  talk.say("EHLO x\r\n");
  talk.say(kMessage);
  EXPECT_EQ(talk.paused, 3s);
  EXPECT_EQ(talk.held, "");
  EXPECT_EQ(talk.tally.messages, 0U);
  EXPECT_EQ(talk.say("X-Load-Id: p-2\r\n\r\nx\r\n.\r\n"), "250 2.0.0 Ok: taken\r\n");
}

// The end of the data wherever it is cut, and everything that only looks like it.
TEST(Receiver, FindsTheEndOfTheDataHoweverItIsCut) {
  const std::string content =
      "X-Load-Id: p-9\r\n\r\n..\r\na.\r\n.b\r\n\r\n..\r\n.\n.\r.\r\r\n.\r.\r\n x\r\n.\r\n";
  const std::string whole = "MAIL FROM:<>\r\nRCPT TO:<u@c.test>\r\nDATA\r\n" + content + "QUIT\r\n";
  for (size_t first = 1; first < whole.size(); ++first) {
    for (size_t second = first; second <= whole.size(); second += 3) {
      Talk talk{Group()};
      talk.say("EHLO x\r\n");
      std::string heard = talk.say(whole.substr(0, first));
      heard += talk.say(whole.substr(first, second - first));
      heard += talk.say(whole.substr(second));
      ASSERT_EQ(heard,
                "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead\r\n250 2.0.0 Ok: taken\r\n221 2.0.0 Bye\r\n")
          << first << " " << second;
      ASSERT_EQ(talk.receiver.message_id(), "p-9");
      ASSERT_EQ(talk.tally.bytes, content.size());
    }
  }
}

}  // namespace
}  // namespace bench
