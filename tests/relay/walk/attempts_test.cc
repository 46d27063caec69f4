#include "relay/walk/attempts.h"

#include <gtest/gtest.h>

#include <utility>

namespace relay {
namespace {

TEST(Attempts, NothingIsLeftOfADeliveryWhoseRestWasTaken) {
  queue::Delivery one;
  queue::Delivery other;
  Attempts attempts;
  attempts.put_waiting(one, {3, 4});
  Verdict verdict;
  verdict.recipient = 7;
  attempts.add_verdicts(one, {verdict});
  attempts.add_verdicts(one, {verdict});
  EXPECT_TRUE(attempts.has_waiting(one));
  EXPECT_FALSE(attempts.has_waiting(other));
  EXPECT_TRUE(attempts.has_verdict(one, 7));
  EXPECT_FALSE(attempts.has_verdict(one, 3));
  EXPECT_FALSE(attempts.has_verdict(other, 7));
  EXPECT_EQ(attempts.take_waiting(one), (std::vector<uint32_t>{3, 4}));
  EXPECT_TRUE(attempts.take_waiting(one).empty());
  EXPECT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts.take_verdicts(one).size(), 2U);
  EXPECT_EQ(attempts.size(), 0U);
}

TEST(Attempts, WhatIsEmptyIsNotKept) {
  const queue::Delivery one{};
  Attempts attempts;
  attempts.put_waiting(one, {});
  attempts.add_verdicts(one, {});
  EXPECT_EQ(attempts.size(), 0U);
  EXPECT_TRUE(attempts.take_waiting(one).empty());
  EXPECT_TRUE(attempts.take_verdicts(one).empty());
  EXPECT_TRUE(attempts.verdicts(one).empty());
}

}  // namespace
}  // namespace relay
