#include "relay/queue/last_replies.h"

#include <gtest/gtest.h>

namespace relay::queue {
namespace {

TEST(LastReplies, WhatIsPersonalPartsNoTwoTexts) {
  LastReplies replies;
  const uint16_t one =
      replies.number_of(450, "4.2.0", "<a@example.net>: greylisted, come back in 287 seconds");
  EXPECT_EQ(replies.number_of(450, "4.2.0", "<b@example.net>: greylisted, come back in 31 seconds"), one);
  EXPECT_EQ(replies.text(one), "450 4.2.0 <*> greylisted, come back in # seconds");
  EXPECT_NE(replies.number_of(450, "4.2.0", "<a@example.net>: mailbox is full"), one);
  EXPECT_NE(replies.number_of(550, "5.7.1", "blocked S3140"),
            replies.number_of(550, "5.7.1", "blocked S3150"));
  EXPECT_EQ(replies.number_of(0, "", ""), LastReplies::kNone);
  EXPECT_EQ(replies.text(LastReplies::kNone), "");
}

TEST(LastReplies, AStatusIsSaidOnce) {
  EXPECT_EQ(reply_line(451, "4.2.0", "4.2.0 Try again later"), "451 4.2.0 Try again later");
  EXPECT_EQ(reply_line(451, "4.2.0", "Try again later"), "451 4.2.0 Try again later");
  EXPECT_EQ(reply_line(0, "", "connection refused"), "connection refused");
}

TEST(LastReplies, ManyTextsAreToldApartByTheirCodesOnly) {
  LastReplies replies;
  const std::string letters = "abcdefghijklmnopqrstuvwxyz";
  for (size_t i = 0; i < 3 * LastReplies::kMost; ++i) {
    std::string word;
    for (size_t rest = i, k = 0; k < 4; ++k, rest /= 26) word += letters[rest % 26];
    replies.number_of(451, "", word);
  }
  EXPECT_EQ(replies.size(), LastReplies::kMost + 1) << "and the one for the rest";
  EXPECT_EQ(replies.text(replies.number_of(451, "", "quite new")), "451 (many different texts)");
  EXPECT_EQ(replies.text(replies.number_of(421, "", "quite new")), "421 (many different texts)");
}

}  // namespace
}  // namespace relay::queue
