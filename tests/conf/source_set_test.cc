#include "conf/vocab/source_set.h"

#include <gtest/gtest.h>

#include <utility>

namespace conf {
namespace {

TEST(SourceSet, ReadsRanges) {
  struct Case {
    const char* text;
    const char* canonical;
    std::vector<uint32_t> in, out;
  };
  for (const Case& c : std::vector<Case>{
           {"", "all", {0, 7, 4294967295}, {}},
           {" ", "all", {0}, {}},
           {"1-5", "1-5", {1, 3, 5}, {0, 6}},
           {"7", "7", {7}, {6, 8}},
           {"-3", "-3", {0, 3}, {4}},
           {"9-", "9-", {9, 4294967295}, {8}},
           {"7, 1-5 ,6", "1-7", {1, 6, 7}, {0, 8}},
           {"0-", "all", {0}, {}},
           {"5-, 1-7", "1-", {1, 99}, {0}},
       }) {
    const Result<SourceSet> set = SourceSet::parse(c.text);
    ASSERT_TRUE(set.ok()) << c.text << ": " << set.error().detail;
    EXPECT_EQ(set.value().text(), c.canonical) << c.text;
    for (const uint32_t id : c.in) EXPECT_TRUE(set.value().contains(id)) << c.text << " has " << id;
    for (const uint32_t id : c.out) EXPECT_FALSE(set.value().contains(id)) << c.text << " lacks " << id;
  }
}

TEST(SourceSet, SaysWhatIsWrong) {
  for (const auto& [text, part] : std::vector<std::pair<const char*, const char*>>{
           {"5-1", "ends before it begins"},
           {"a", "begin is no number"},
           {"1-x", "end is no number"},
           {"-", "no number"},
           {"1,,2", "is empty"},
           {"1 2", "begin is no number"},
           {"4294967296", "begin is no number"},
       }) {
    const Result<SourceSet> set = SourceSet::parse(text);
    ASSERT_FALSE(set.ok()) << text;
    EXPECT_NE(set.error().detail.find(part), std::string::npos) << set.error().detail;
  }
}

}  // namespace
}  // namespace conf
