#include "conf/vocab/packed.h"

#include <gtest/gtest.h>

#include <limits>

namespace conf {
namespace {

TEST(Varint, ComesBackAsItWasPut) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{127}, uint64_t{128}, uint64_t{1} << 35,
                               uint64_t{1} << 63, std::numeric_limits<uint64_t>::max()}) {
    std::string bytes;
    put_varint(value, &bytes);
    bytes += "rest";
    std::string_view in = bytes;
    EXPECT_EQ(take_varint(&in), value);
    EXPECT_EQ(in, "rest");
  }
}

TEST(Varint, WhatDoesNotEndOrIsTooLongIsNoNumber) {
  for (const std::string& bytes : {std::string(), std::string("\x80"), std::string(9, '\xff'),
                                   std::string(9, '\xff') + '\x02', std::string(12, '\x80')}) {
    std::string_view in = bytes;
    EXPECT_FALSE(take_varint(&in).has_value()) << bytes.size();
  }
}

TEST(Varint, SmallMagnitudesStayShort) {
  for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{63}, int64_t{-64}}) {
    EXPECT_LT(zigzag(value), 128U);
    EXPECT_EQ(unzigzag(zigzag(value)), value);
  }
  for (const int64_t value : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()})
    EXPECT_EQ(unzigzag(zigzag(value)), value);
}

TEST(Packed, ComesBackInItsOrder) {
  std::string bytes;
  PackedWriter out(&bytes);
  out.number(300);
  out.text("some text");
  out.signed_number(-2);
  PackedReader in(bytes);
  EXPECT_EQ(in.number(), 300U);
  EXPECT_EQ(in.text(9), "some text");
  EXPECT_FALSE(in.ended());
  EXPECT_EQ(in.signed_number(), -2);
  EXPECT_TRUE(in.ok() && in.ended());
}

// A number above what it may be, a text longer than it may be or than what is left.
TEST(Packed, AfterTheFirstWrongByteNothingIsRead) {
  const std::string bytes =
      "\x05"
      "abcde"
      "\x07";
  for (const int wrong : {0, 1, 2}) {
    PackedReader in(wrong == 2 ? std::string_view(bytes).substr(0, 5) : bytes);
    if (wrong == 0) {
      EXPECT_EQ(in.number(4), 0U);
    }
    if (wrong == 1) {
      EXPECT_EQ(in.text(4), "");
    }
    if (wrong == 2) {
      EXPECT_EQ(in.text(), "");
    }
    EXPECT_FALSE(in.ok());
    EXPECT_EQ(in.number(), 0U);
    EXPECT_EQ(in.text(), "");
  }
}

}  // namespace
}  // namespace conf
