#include "bounce/reason.h"

#include <gtest/gtest.h>

#include <string>

namespace bounce {
namespace {

TEST(Reason, HasTheTwentyTechnicalValues) {
  const int values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 20, 25, 127};
  ASSERT_EQ(all_reasons().size(), std::size(values));
  for (size_t i = 0; i < std::size(values); ++i) EXPECT_EQ(static_cast<int>(all_reasons()[i]), values[i]);
}

TEST(Reason, IsReadByNameLabelAndValue) {
  for (const Reason reason : all_reasons()) {
    EXPECT_EQ(parse_reason(label(reason)), reason);
    EXPECT_EQ(parse_reason(to_text(reason)), reason);
    EXPECT_EQ(parse_reason(std::to_string(static_cast<int>(reason))), reason);
  }
  EXPECT_EQ(parse_reason("MAILBOX FULL"), Reason::kMailboxFull);
  EXPECT_FALSE(parse_reason("13").has_value());
  EXPECT_FALSE(parse_reason("mailbox").has_value());
  EXPECT_FALSE(parse_reason("").has_value());
}

}  // namespace
}  // namespace bounce
