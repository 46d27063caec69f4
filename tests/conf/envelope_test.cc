#include "conf/vocab/envelope.h"

#include <gtest/gtest.h>

namespace conf {
namespace {

TEST(MessageId, TextAndBack) {
  for (const MessageId id : {MessageId{0}, MessageId{1}, MessageId{0x123456789abcdef0}, ~MessageId{0}}) {
    const std::string text = to_text(id);
    EXPECT_EQ(text.size(), 13U);
    ASSERT_TRUE(parse_message_id(text).ok()) << text;
    EXPECT_EQ(parse_message_id(text).value(), id);
  }
  EXPECT_LT(to_text(5), to_text(6));  // the order of texts is the order of ids
  EXPECT_LT(to_text(31), to_text(32));
}

TEST(MessageId, RefusesWhatIsNone) {
  for (const char* text : {"", "1", "1m86tesyj00000", "1m86tesyj000u", "zzzzzzzzzzzzz", "1m86tesyj000!"}) {
    EXPECT_FALSE(parse_message_id(text).ok()) << text;
  }
}

}  // namespace
}  // namespace conf
