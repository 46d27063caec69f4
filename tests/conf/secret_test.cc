#include "conf/vocab/secret.h"

#include <gtest/gtest.h>

#include <utility>

namespace conf {
namespace {

TEST(Secret, MovesWithoutACopy) {
  Secret secret("open sesame");
  const char* octets = secret.c_str();
  Secret moved = std::move(secret);
  EXPECT_EQ(moved.view(), "open sesame");
  EXPECT_EQ(moved.c_str(), octets);
  EXPECT_EQ(secret.view(), "");  // NOLINT(bugprone-use-after-move)
  moved = Secret("other");
  EXPECT_EQ(moved.view(), "other");
}

TEST(Secret, MayHoldANulAndMayBeEmpty) {
  EXPECT_EQ(Secret(std::string_view("a\0b", 3)).view().size(), 3U);
  EXPECT_EQ(Secret("").view(), "");
  EXPECT_STREQ(Secret().c_str(), "");
}

}  // namespace
}  // namespace conf
