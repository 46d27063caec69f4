#include "relay/walk/signature_memory.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Instant kNow{1h};

TEST(SignatureMemory, GivesWhatWasKeptUntilItsTimeIsOver) {
  SignatureMemory memory;
  memory.keep(1, {"one", kNow, kNow + 10s}, kNow);
  memory.keep(1, {"again", kNow + 5s, kNow + 15s}, kNow + 5s);
  ASSERT_NE(memory.find(1, kNow + 9s), nullptr);
  EXPECT_EQ(memory.find(1, kNow + 9s)->fields, "one");
  EXPECT_EQ(memory.find(1, kNow + 10s), nullptr) << "its life began with the first";
  EXPECT_EQ(memory.find(2, kNow), nullptr);
}

TEST(SignatureMemory, TheOldestGoesWhenThereIsNoRoom) {
  SignatureMemory memory(3000);
  for (conf::MessageId id = 1; id <= 10; ++id)
    memory.keep(id, {std::string(500, 'x'), kNow, kNow + 1h}, kNow);
  EXPECT_LE(memory.bytes(), 3000U);
  EXPECT_EQ(memory.find(1, kNow), nullptr);
  EXPECT_NE(memory.find(10, kNow), nullptr);
}

TEST(SignatureMemory, WhatIsOverTakesNoRoom) {
  SignatureMemory memory;
  memory.keep(1, {std::string(500, 'x'), kNow, kNow + 1s}, kNow);
  memory.keep(2, {"y", kNow + 2s, kNow + 1h}, kNow + 2s);
  EXPECT_LT(memory.bytes(), 500U);
  memory.keep(1, {"new", kNow + 2s, kNow + 1h}, kNow + 2s);
  EXPECT_EQ(memory.find(1, kNow + 3s)->fields, "new");
}

TEST(SignatureMemory, ClearedItKnowsNothing) {
  SignatureMemory memory;
  memory.keep(1, {"one", kNow, kNow + 1h}, kNow);
  memory.clear();
  EXPECT_EQ(memory.find(1, kNow), nullptr);
  EXPECT_EQ(memory.bytes(), 0U);
}

}  // namespace
}  // namespace relay
