#include "conf/vocab/utf8.h"

#include <gtest/gtest.h>

namespace conf {
namespace {

struct Character {
  std::string_view text;
  char32_t code_point;
};
constexpr Character kCharacters[] = {{{"\0", 1}, 0},
                                     {"a", 'a'},
                                     {"\x7f", 0x7f},
                                     {"\xc2\x80", 0x80},
                                     {"\xc3\xa9", 0xe9},
                                     {"\xdf\xbf", 0x7ff},
                                     {"\xe0\xa0\x80", 0x800},
                                     {"\xed\x9f\xbf", 0xd7ff},
                                     {"\xee\x80\x80", 0xe000},
                                     {"\xef\xbf\xbf", 0xffff},
                                     {"\xf0\x90\x80\x80", 0x10000},
                                     {"\xf4\x8f\xbf\xbf", 0x10ffff}};

constexpr std::string_view kNone[] = {"\x80",
                                      "\xa9",
                                      "\xff",
                                      "\xc3",
                                      "\xc3(",
                                      "\xe2\x82",
                                      "\xe2(\xa1",
                                      "\xf0\x9f\x93",  // no lead, or cut
                                      "\xc0\xaf",
                                      "\xc1\xbf",
                                      "\xe0\x80\xaf",
                                      "\xe0\x9f\xbf",
                                      "\xf0\x80\x80\xaf",
                                      "\xf0\x8f\xbf\xbf",  // overlong
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",  // surrogates
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf8\x88\x80\x80\x80"};  // beyond

TEST(Utf8, Rfc3629_3_WellFormedCharacters) {
  for (const Character& each : kCharacters) {
    const Utf8Character read = utf8_character(std::string(each.text) + "b");
    EXPECT_EQ(read.code_point, each.code_point);
    EXPECT_EQ(read.octets, each.text.size()) << std::hex << static_cast<uint32_t>(each.code_point);
    std::string written;
    append_utf8(each.code_point, &written);
    EXPECT_EQ(written, each.text);
  }
}

TEST(Utf8, Rfc3629_3_WhatIsNone) {
  for (const std::string_view text : kNone) EXPECT_EQ(utf8_character(text).octets, 0U) << text;
  std::string out;
  for (const char32_t c : {0xd800, 0xdfff, 0x110000}) append_utf8(c, &out);
  EXPECT_EQ(out, "");
}

// Eight octets of ASCII are taken at once: what is wrong may stand anywhere in them.
TEST(Utf8, ATextIsWellFormedOnlyIfAllOfItIs) {
  EXPECT_TRUE(is_utf8(""));
  for (size_t before = 0; before < 20; ++before) {
    for (size_t behind = 0; behind < 20; ++behind) {
      const std::string begin(before, 'a'), end(behind, 'z');
      for (const Character& each : kCharacters) EXPECT_TRUE(is_utf8(begin + std::string(each.text) + end));
      for (const std::string_view text : kNone)
        EXPECT_FALSE(is_utf8(begin + std::string(text) + end)) << text;
    }
  }
}

}  // namespace
}  // namespace conf
