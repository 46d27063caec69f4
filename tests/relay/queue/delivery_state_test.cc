#include "relay/queue/delivery_state.h"

#include <gtest/gtest.h>

#include "relay/queue/delivery.h"

namespace relay::queue {
namespace {

using S = DeliveryState;

TEST(DeliveryState, NothingIsSentThatWasNotLoaded) {
  for (uint8_t from = 0; from < kDeliveryStates; ++from) {
    const auto state = static_cast<S>(from);
    EXPECT_EQ(may_follow(state, S::kSending), state == S::kLoading) << to_text(state);
    EXPECT_FALSE(may_follow(state, S::kNew)) << to_text(state);
  }
}

TEST(DeliveryState, WhatIsHeldIsNeitherSentNorSettled) {
  EXPECT_FALSE(may_follow(S::kHeld, S::kSending));
  EXPECT_FALSE(may_follow(S::kHeld, S::kSettling));
  EXPECT_TRUE(may_follow(S::kHeld, S::kScheduled));
}

TEST(DeliveryState, AReportIsStoredOnlyAboutWhatIsInMemory) {
  for (const S from : {S::kScheduled, S::kRouting, S::kReady, S::kHeld})
    EXPECT_FALSE(may_follow(from, S::kSettling)) << to_text(from);
}

TEST(DeliveryStateDeathTest, AStepThatIsNotInTheTableEndsTheProcess) {
  Delivery delivery;
  delivery.move_to(S::kScheduled);
  EXPECT_EQ(delivery.state, S::kScheduled);
  EXPECT_DEATH(delivery.move_to(S::kSending), "may_follow");
}

}  // namespace
}  // namespace relay::queue
