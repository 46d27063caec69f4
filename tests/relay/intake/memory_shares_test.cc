// Who gets memory, and who gives way.
#include "relay/intake/memory_shares.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "relay/intake/client_key.h"

namespace relay {
namespace {

struct Holder final : MemoryShares::Account {
  Holder(MemoryShares* s, std::string name, bool may_relay = false) : shares(s) {
    client = std::move(name);
    stranger = !may_relay;
  }
  ~Holder() { shares->shrink(this, bytes); }
  void give_way() noexcept override {
    ++gave_way;
    shares->shrink(this, bytes);
  }
  bool can_give_way() const override { return !finished; }
  MemoryShares* shares;
  int gave_way = 0;
  bool finished = false;
};

TEST(MemoryShares, OneClientHasItsShareAndNoMoreHoweverManyConnectionsItHas) {
  MemoryShares shares({1000, 500, 100});
  Holder a(&shares, "1"), b(&shares, "1"), other(&shares, "2");
  EXPECT_TRUE(shares.grow(&a, 60));
  EXPECT_TRUE(shares.grow(&b, 40));
  EXPECT_FALSE(shares.grow(&b, 1));
  EXPECT_EQ(shares.used_by("1"), 100U);
  EXPECT_TRUE(shares.grow(&other, 100));
  b.stranger = false;  // it has logged in
  EXPECT_TRUE(shares.grow(&b, 300));
}

TEST(MemoryShares, TheBiggestUnfinishedOfWhoHoldsMostGivesWay) {
  MemoryShares shares({100, 100, 100});
  Holder small(&shares, "many"), big(&shares, "many"), single(&shares, "single"), late(&shares, "late");
  EXPECT_TRUE(shares.grow(&small, 20));
  EXPECT_TRUE(shares.grow(&big, 35));
  EXPECT_TRUE(shares.grow(&single, 45));
  EXPECT_TRUE(shares.grow(&late, 1));
  EXPECT_EQ(big.gave_way, 1);
  EXPECT_EQ(small.gave_way + single.gave_way, 0);
  EXPECT_EQ(shares.made_way(), 1U);
}

TEST(MemoryShares, WhoWouldHoldMostTakesFromNobody) {
  MemoryShares shares({100, 100, 100});
  Holder a(&shares, "a"), b(&shares, "b");
  EXPECT_TRUE(shares.grow(&a, 60));
  EXPECT_TRUE(shares.grow(&b, 40));
  EXPECT_FALSE(shares.grow(&b, 30));
  EXPECT_EQ(a.gave_way, 0);
  EXPECT_EQ(shares.used(), 100U);
}

TEST(MemoryShares, WhatIsFinishedStays) {
  MemoryShares shares({100, 100, 100});
  Holder a(&shares, "a"), b(&shares, "b");
  EXPECT_TRUE(shares.grow(&a, 90));
  a.finished = true;
  EXPECT_FALSE(shares.grow(&b, 20));
  shares.lend("a", 5);
  EXPECT_EQ(shares.used_by("a"), 95U);
  shares.give_back("a", 5);
  EXPECT_EQ(shares.used(), 90U);
}

// Strangers from ever more addresses, and a client that may relay with messages of a kilobyte.
TEST(MemoryShares, NobodyIsKeptOutByManyWhoHoldMuch) {
  MemoryShares shares({1000, 500, 100});
  std::deque<Holder> strangers;
  for (int i = 0; i < 20; ++i) {
    strangers.emplace_back(&shares, "stranger " + std::to_string(i));
    shares.grow(&strangers.back(), 100);
  }
  for (int i = 0; i < 50; ++i) {
    Holder friendly(&shares, "friend", true);
    EXPECT_TRUE(shares.grow(&friendly, 64)) << i;
  }
}

TEST(ClientKey, AnAddressOrTheWholeNetworkOfOne) {
  EXPECT_EQ(client_key("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_key("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_key("2001:db8:0:1:2:3:4:5"), client_key("2001:db8:0:1:ffff::9"));
  EXPECT_NE(client_key("2001:db8:0:1::1"), client_key("2001:db8:0:2::1"));
  EXPECT_EQ(client_key("2001:db8:0:1::1"), "2001:db8:0:1::/64");
  EXPECT_EQ(client_key("simulated"), "simulated");
}

}  // namespace
}  // namespace relay
