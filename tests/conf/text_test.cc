#include "conf/vocab/text.h"

#include <gtest/gtest.h>

namespace conf {
namespace {

std::string base64(std::string_view octets) {
  std::string out;
  append_base64(octets, &out);
  return out;
}

TEST(Text, BlanksGoFromTheEndsOnly) {
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed(" \t\r\n"), "");
  EXPECT_EQ(trimmed(" a \t b\r\n"), "a \t b");
  EXPECT_EQ(trimmed(" a\n", " \t"), "a\n");
}

TEST(Text, HexadecimalDigitsAreInUpperCase) {
  std::string out;
  append_hex('\0', &out);
  append_hex('\n', &out);
  append_hex('\xfe', &out);
  EXPECT_EQ(out, "000AFE");
}

TEST(Text, ADigitOfEitherCaseHasItsValue) {
  const std::string digits = "0123456789abcdef";
  for (size_t i = 0; i < digits.size(); ++i) {
    EXPECT_EQ(hex_value(digits[i]), static_cast<int>(i));
    EXPECT_EQ(hex_value(static_cast<char>(toupper(digits[i]))), static_cast<int>(i));
  }
  for (const char c : {'g', 'G', '/', ':', '@', '`', ' ', '\0', '\xff'}) EXPECT_EQ(hex_value(c), -1) << c;
}

TEST(Text, Rfc4648_10_Base64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfb"), "//77");
}

TEST(Text, Base64IsReadAsItIsWritten) {
  std::string octets, back;
  for (int i = 0; i < 300; ++i) {
    EXPECT_TRUE(decode_base64(base64(octets), &back));
    EXPECT_EQ(back, octets);
    octets += static_cast<char>(i * 7);
  }
  for (const char* bad : {"Zg", "Zg=", "Zg== ", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm-v"})
    EXPECT_FALSE(decode_base64(bad, &back)) << bad;
}

}  // namespace
}  // namespace conf
