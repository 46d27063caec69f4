#include <algorithm>

#include "tests/relay/walk/walk_rig.h"

namespace relay {
namespace {

class BodyMemoryTest : public WalkRig {
 protected:
  static constexpr uint64_t kBudget = 1'000'000;
  static constexpr size_t kBig = 40, kSize = 50'000;

  static std::string text(size_t octets) { return "Subject: x\r\n\r\n" + std::string(octets, 'x') + "\r\n"; }
  // Big ones to as many destinations, and a small one after them, all on disk; then they are due.
  void queue_mail() {
    config_->spool.body_memory_bytes = kBudget;
    refuse_for_now();
    start();
    for (size_t i = 0; i < kBig; ++i)
      submit({"a@d" + std::to_string(i) + ".test"}, "", conf::kNotifyDefault, text(kSize));
    submit({"a@small.test"}, "", conf::kNotifyDefault, text(1'000));
    ASSERT_EQ(transit_->resting().scheduled(), kBig + 1);
    ASSERT_EQ(transit_->messages().body_octets(), 0U);
    server_.to_rcpt = "250 2.1.5 ok";
    clock_.time += 2h;
  }
  size_t waiting_for_memory() {
    size_t paths = 0;
    transit_->sites().for_each([&](const queue::Path* path) {
      paths += !path->ready.empty() && path->waits.bind() == mx::Bind::kMemory ? 1 : 0;
    });
    return paths;
  }
  // The relay does all that it can; then the receivers say a few things.
  void turn() {
    for (int i = 0; i < 20; ++i) {
      spool_.run_batch();
      transit_->step(clock_.time);
      most_ = std::max(most_, transit_->messages().body_octets());
      most_waiting_ = std::max(most_waiting_, waiting_for_memory());
    }
    for (int i = 0; i < 3; ++i) server_.work();
    clock_.time += 50ms;
  }
  uint64_t most_ = 0;
  size_t most_waiting_ = 0;
};

TEST_F(BodyMemoryTest, WhatIsBeingSentTakesNoMoreThanItMayAndAllOfItGoes) {
  queue_mail();
  for (int i = 0; i < 1000 && server_.recipients.size() <= kBig; ++i) turn();
  EXPECT_EQ(server_.recipients.size(), kBig + 1);
  EXPECT_LE(most_, kBudget);
  EXPECT_GT(most_, kBudget / 2);
  EXPECT_GT(most_waiting_, kBig / 4);
  const auto small = std::ranges::find(server_.recipients, "a@small.test");
  EXPECT_LT(small - server_.recipients.begin(), kBig / 2) << "it waits for no big one";
  pass(1min);
  EXPECT_EQ(transit_->messages().size(), 0U);
  EXPECT_EQ(spool_.message_count(), 0U);
}

// What was read for a connection that goes away would stay in memory as long as its destination is sick.
TEST_F(BodyMemoryTest, WhatGoesBackInLineLeavesMemory) {
  queue_mail();
  for (int i = 0; i < 1000 && most_ < kBudget / 2; ++i) turn();
  transit_->sites().for_each([&](queue::Path* path) { path->holds.order_until(clock_.time + 1h); });
  for (int i = 0; i < 1000; ++i) turn();
  EXPECT_EQ(transit_->messages().body_octets(), 0U);
  EXPECT_GT(transit_->dispatcher().ready(), 0U);
  pass(1h);
  for (int i = 0; i < 1000 && server_.recipients.size() <= kBig; ++i) turn();
  EXPECT_EQ(server_.recipients.size(), kBig + 1);
}

}  // namespace
}  // namespace relay
