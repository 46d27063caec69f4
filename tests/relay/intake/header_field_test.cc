#include "relay/intake/header_field.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

TEST(HeaderField, IsFoundInTheHeaderAlone) {
  const std::string_view message = "Subject: x\r\n X-Folded: no\r\nx-mandated : yes\r\n\r\nX-Body: no\r\n";
  EXPECT_TRUE(has_header_field(message, "X-Mandated"));
  EXPECT_TRUE(has_header_field(message, "subject"));
  EXPECT_FALSE(has_header_field(message, "X-Folded"));
  EXPECT_FALSE(has_header_field(message, "X-Body"));
  EXPECT_FALSE(has_header_field(message, "X-Mandate"));
  EXPECT_FALSE(has_header_field(message, ""));
  EXPECT_FALSE(has_header_field("no field at all", "no field at all"));
  EXPECT_FALSE(has_header_field("", "x"));
}

}  // namespace
}  // namespace relay
