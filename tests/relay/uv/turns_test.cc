// One of each party at a time.
#include "relay/uv/turns.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace relay::uv {
namespace {

std::string order_of(Turns* turns) {
  std::string order;
  while (const Turn* turn = turns->next()) order += turn->party;
  return order;
}

TEST(Turns, APartyWithManyStreamsWaitsForItselfOnly) {
  Turns turns;
  std::vector<Turn> many(5), few(2), one(1);
  for (Turn& turn : many) turn.party = "a", turns.add(&turn);
  for (Turn& turn : few) turn.party = "b", turns.add(&turn);
  for (Turn& turn : one) turn.party = "c", turns.add(&turn);
  EXPECT_EQ(turns.size(), 8U);
  EXPECT_EQ(order_of(&turns), "abcabaaa");
  EXPECT_TRUE(turns.empty());
}

TEST(Turns, WhoComesAgainAndAgainDoesNotKeepOthersWaiting) {
  Turns turns;
  std::vector<Turn> many(3);
  Turn again;
  again.party = "b";
  for (Turn& turn : many) turn.party = "a", turns.add(&turn);
  std::string order;
  turns.add(&again);
  for (int i = 0; i < 6; ++i) {
    const Turn* turn = turns.next();
    order += turn->party;
    if (turn == &again) turns.add(&again);
  }
  EXPECT_EQ(order, "ababab");
}

TEST(Turns, OneWaitsOnceAndMayLeave) {
  Turns turns;
  Turn first, second;
  turns.erase(&first);
  turns.add(&first);
  turns.add(&first);
  turns.add(&second);
  EXPECT_EQ(turns.size(), 2U);
  turns.erase(&first);
  EXPECT_EQ(turns.next(), &second);
  EXPECT_EQ(turns.next(), nullptr);
}

}  // namespace
}  // namespace relay::uv
