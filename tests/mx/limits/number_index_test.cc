#include "mx/limits/number_index.h"

#include <gtest/gtest.h>

#include <map>

#include "conf/vocab/random.h"

namespace mx {
namespace {

// Few hashes, so that many names share one, and removals make holes in the middle of long rows.
TEST(NumberIndex, IsAMap) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    conf::Random random(seed);
    const uint64_t hashes = 1 + random.below(seed % 2 == 0 ? 20 : 5000);
    std::map<uint64_t, uint32_t> expected;  // name -> number
    std::map<uint32_t, uint64_t> names;
    NumberIndex index;
    const auto hash_of = [&](uint64_t name) { return static_cast<uint32_t>(name % hashes * 2'654'435'761U); };
    for (uint32_t number = 0; number < 5000; ++number) {
      const uint64_t name = random.below(300);
      const auto known = expected.find(name);
      const uint32_t found =
          index.find(hash_of(name), [&](uint32_t candidate) { return names.at(candidate) == name; });
      ASSERT_EQ(found, known == expected.end() ? NumberIndex::kNone : known->second) << "seed " << seed;
      if (known == expected.end()) {
        index.insert(hash_of(name), number);
        expected[name] = number;
        names[number] = name;
      } else {
        index.erase(hash_of(name), known->second);
        names.erase(known->second);
        expected.erase(known);
      }
    }
  }
}

TEST(NumberIndex, AnEmptyOneFindsNothing) {
  EXPECT_EQ(NumberIndex().find(7, [](uint32_t) { return true; }), NumberIndex::kNone);
}

}  // namespace
}  // namespace mx
