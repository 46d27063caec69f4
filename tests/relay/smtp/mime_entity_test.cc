#include "relay/smtp/mime_entity.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace relay::smtp {
namespace {

const std::string kUmlaut = "\xc3\xbc";

std::string mixed(const std::string& part) {
  return "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"a b\"\r\n\r\n" + kUmlaut +
         "\r\n--a b\r\n\r\nplain\r\n--a b\r\n" + part + "\r\n--a b--\r\n" + kUmlaut + "\r\n";
}

std::string within(const std::string& type, const std::string& encoding, const std::string& message) {
  return mixed("Content-Type: " + type + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n" + message);
}

TEST(EightBitHeader, OnlyFieldsNeedUtf8) {
  EXPECT_TRUE(has_eight_bit_header("Subject: " + kUmlaut + "\r\n\r\nx\r\n"));
  EXPECT_TRUE(has_eight_bit_header("Subject:\r\n " + kUmlaut + "\r\n\r\nx\r\n"));
  EXPECT_FALSE(has_eight_bit_header("Subject: u\r\n\r\nSubject: " + kUmlaut + "\r\n"));
  EXPECT_FALSE(has_eight_bit_header("Subject: u\r\n\r\n"));
  EXPECT_FALSE(has_eight_bit_header(kUmlaut));
}

TEST(EightBitHeader, ThoseOfPartsToo) {
  EXPECT_FALSE(has_eight_bit_header(mixed("Content-Type: text/plain; charset=utf-8\r\n\r\n" + kUmlaut)));
  EXPECT_FALSE(has_eight_bit_header(mixed("\r\nSubject: " + kUmlaut)));
  EXPECT_TRUE(
      has_eight_bit_header(mixed("content-disposition: attachment; filename=" + kUmlaut + "\r\n\r\nx")));
  EXPECT_TRUE(has_eight_bit_header(mixed(
      "Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\nX: " + kUmlaut + "\r\n\r\nx\r\n--in--")));
}

TEST(EightBitHeader, ThoseOfMessagesWithinUnlessEncoded) {
  const std::string message = "Subject: " + kUmlaut + "\r\n\r\nx";
  EXPECT_TRUE(has_eight_bit_header(within("message/global", "8bit", message)));
  EXPECT_TRUE(has_eight_bit_header(within("Message/RFC822", "8BIT", message)));
  EXPECT_FALSE(has_eight_bit_header(within("message/global", "base64", message)));
  EXPECT_FALSE(has_eight_bit_header(within("message/global", "quoted-printable", message)));
  EXPECT_FALSE(has_eight_bit_header(within("message/global", "8bit", "Subject: u\r\n\r\n" + kUmlaut)));
  EXPECT_FALSE(has_eight_bit_header(within("message/global-headers", "8bit", message)))
      << "text, not a header";
}

TEST(EightBitHeader, ThoseOfTheMessagesOfADigest) {
  const std::string digest = "Content-Type: multipart/digest; boundary*0=d; boundary*1=e\r\n\r\n--de\r\n\r\n";
  EXPECT_TRUE(has_eight_bit_header(digest + "Subject: " + kUmlaut + "\r\n\r\nx\r\n--de--\r\n"));
  EXPECT_FALSE(has_eight_bit_header(digest + "Subject: u\r\n\r\n" + kUmlaut + "\r\n--de--\r\n"));
}

TEST(EightBitHeader, NestingBeyondMeasureEnds) {
  std::string deep = "X: " + kUmlaut + "\r\n\r\nx";
  for (int i = 0; i < 200; ++i) {
    const std::string mark = "b" + std::to_string(i);
    deep = "Content-Type: multipart/mixed; boundary=" + mark + "\r\n\r\n--" + mark + "\r\n" + deep +
           "\r\n--" + mark + "--\r\n";
  }
  EXPECT_FALSE(has_eight_bit_header(deep));
}

TEST(MimeParts, EveryOctetIsGivenOnce) {
  for (const std::string body :
       {"--x\r\na\r\n--x--\r\n", "pre\r\n--x\r\n\r\n--x \t\r\nb\r\n\r\n--x--", "--x\r\n--x", "--x\r\na",
        "--x--\r\n--x\r\nend", "--xy\r\n--x\r\n--xy\r\n--x--"}) {
    std::string all;
    const auto add = [&all](std::string_view text) { all.append(text); };
    EXPECT_TRUE(for_each_part(
        body, "x",
        [&add](std::string_view text) {
          add(text);
          return true;
        },
        add));
    EXPECT_EQ(all, body);
  }
  const auto any = [](std::string_view) { return true; };
  EXPECT_FALSE(for_each_part("no part", "x", any, [](std::string_view) {}));
}

}  // namespace
}  // namespace relay::smtp
