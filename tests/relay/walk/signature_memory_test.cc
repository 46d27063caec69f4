#include "relay/walk/signature_memory.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Instant kNow{1h};

TEST(SignatureMemory, GivesWhatWasKeptUntilItsTimeIsOver) {
  SignatureMemory memory(1'000'000);
  memory.keep(1, {"one", kNow, kNow + 10s, 1}, kNow);
  memory.keep(1, {"again", kNow + 5s, kNow + 15s, 1}, kNow + 5s);
  ASSERT_NE(memory.find(1, 1, kNow + 9s), nullptr);
  EXPECT_EQ(memory.find(1, 1, kNow + 9s)->fields, "one");
  EXPECT_EQ(memory.find(1, 1, kNow + 10s), nullptr) << "its life began with the first";
  EXPECT_EQ(memory.find(2, 1, kNow), nullptr);
}

TEST(SignatureMemory, TheOldestGoesWhenThereIsNoRoom) {
  SignatureMemory memory(3000);
  for (conf::MessageId id = 1; id <= 10; ++id)
    memory.keep(id, {std::string(500, 'x'), kNow, kNow + 1h, 1}, kNow);
  EXPECT_LE(memory.bytes(), 3000U);
  EXPECT_EQ(memory.find(1, 1, kNow), nullptr);
  EXPECT_NE(memory.find(10, 1, kNow), nullptr);
}

TEST(SignatureMemory, WhatIsOverTakesNoRoom) {
  SignatureMemory memory(1'000'000);
  memory.keep(1, {std::string(500, 'x'), kNow, kNow + 1s, 1}, kNow);
  memory.keep(2, {"y", kNow + 2s, kNow + 1h, 1}, kNow + 2s);
  EXPECT_LT(memory.bytes(), 500U);
  memory.keep(1, {"new", kNow + 2s, kNow + 1h, 1}, kNow + 2s);
  EXPECT_EQ(memory.find(1, 1, kNow + 3s)->fields, "new");
}

// Lives differ where the keys' settings were reloaded: what is over may stand behind what is not.
TEST(SignatureMemory, ANewOneTakesThePlaceOfWhatIsOver) {
  SignatureMemory memory(1'000'000);
  memory.keep(1, {"long", kNow, kNow + 1h, 1}, kNow);
  memory.keep(2, {"short", kNow, kNow + 1s, 1}, kNow);
  memory.keep(2, {"new", kNow + 2s, kNow + 1h, 1}, kNow + 2s);
  ASSERT_NE(memory.find(2, 1, kNow + 3s), nullptr);
  EXPECT_EQ(memory.find(2, 1, kNow + 3s)->fields, "new");
}

TEST(SignatureMemory, WhatOtherKeysMadeIsNotGivenAndMakesPlace) {
  SignatureMemory memory(1'000'000);
  memory.keep(1, {std::string(500, 'x'), kNow, kNow + 1h, 1}, kNow);
  EXPECT_EQ(memory.find(1, 2, kNow), nullptr);
  memory.keep(1, {"new", kNow, kNow + 1h, 2}, kNow);
  ASSERT_NE(memory.find(1, 2, kNow), nullptr);
  EXPECT_EQ(memory.find(1, 2, kNow)->fields, "new");
  EXPECT_LT(memory.bytes(), 500U);
}

TEST(SignatureMemory, LessRoomHoldsFromTheNextOneOn) {
  SignatureMemory memory(1'000'000);
  for (conf::MessageId id = 1; id <= 10; ++id)
    memory.keep(id, {std::string(500, 'x'), kNow, kNow + 1h, 1}, kNow);
  memory.set_most(2000);
  memory.keep(11, {"new", kNow, kNow + 1h, 1}, kNow);
  EXPECT_LE(memory.bytes(), 2000U);
  EXPECT_NE(memory.find(11, 1, kNow), nullptr);
}

}  // namespace
}  // namespace relay
