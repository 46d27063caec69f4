#include "relay/smtp/header_fields.h"

#include <gtest/gtest.h>

namespace relay::smtp {
namespace {

TEST(HeaderFields, AFieldIsFoundByItsNameAndTheMaskOfItsValue) {
  const std::string message =
      "X-Other: news\r\nx-stream :\r\n\tspring\r\n sale \r\nX-Stream: second\r\n\r\nX-Stream: body\r\n";
  EXPECT_TRUE(has_field_like(message, "X-Stream", "spring sale"));
  EXPECT_TRUE(has_field_like(message, "X-Stream", "SPRING*"));
  EXPECT_TRUE(has_field_like(message, "X-Stream", "second")) << "any field of the name counts";
  EXPECT_FALSE(has_field_like(message, "X-Stream", "news"));
  EXPECT_FALSE(has_field_like(message, "X-Stream", "body"));
  EXPECT_FALSE(has_field_like(message, "X-Strea", "*"));
  EXPECT_FALSE(has_field_like("", "X-Stream", "*"));
  EXPECT_FALSE(has_field_like("no header\r\nX-Stream: a\r\n", "X-Stream", "a"));
}

}  // namespace
}  // namespace relay::smtp
