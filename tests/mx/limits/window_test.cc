#include "mx/limits/window.h"

#include <gtest/gtest.h>

#include <string>

namespace mx {
namespace {

using namespace std::chrono_literals;
using conf::Instant;

constexpr Instant kStart{conf::Duration(5'000'000'123)};

int messages_until(Window* window, uint32_t wanted, int most = 10'000) {
  int taken = 0;
  for (; window->now() < wanted && taken < most; ++taken) window->taken();
  return taken;
}

// Something was refused, and the window is as wide as before.
Window warned(uint32_t floor, uint32_t limit) {
  Window window(floor, limit);
  window.trouble();
  window.cap(Window::kBegin + 1);
  return window;
}

TEST(Window, OpensByAConnectionForFourMessagesWhileNothingIsRefused) {
  Window window(1, 100);
  EXPECT_EQ(window.now(), 5u);
  EXPECT_EQ(messages_until(&window, 100), 380);
  for (int i = 0; i < 1000; ++i) window.taken();
  EXPECT_EQ(window.now(), 100u) << "and no further";
}

// At a receiver 200 ms away a round is 0.9 s.
TEST(Window, ReachesNineTenthsOfAHundredConnectionsInFourteenRounds) {
  Window window(1, 100);
  int rounds = 0;
  for (; window.now() < 90; ++rounds)
    for (uint32_t open = window.now(); open != 0; --open) window.taken();
  EXPECT_LE(rounds, 14);
  EXPECT_GE(rounds, 11) << "no burst either: a quarter more each round";
}

TEST(Window, OpensSlowlyAfterTheFirstWordAgainstIt) {
  Window window = warned(1, 20);
  EXPECT_EQ(window.now(), 5u);
  EXPECT_EQ(messages_until(&window, 6), 5);
  EXPECT_EQ(messages_until(&window, 7), 200) << "what it turned away once";
  EXPECT_EQ(messages_until(&window, 20), 169) << "7 + 8 + ... + 19";
  Window turned(1, 200);
  turned.cap(10);
  EXPECT_EQ(messages_until(&turned, 6), 5);
  Window throttled(1, 200);
  messages_until(&throttled, 20);
  throttled.throttled(kStart);
  EXPECT_EQ(throttled.now(), 15u);
  EXPECT_EQ(messages_until(&throttled, 16), 15);
  Window troubled(1, 200);
  messages_until(&troubled, 20);
  troubled.trouble();
  EXPECT_EQ(messages_until(&troubled, 21), 21) << "a round of it, and what the trouble took";
}

TEST(Window, BeginsWithinItsBounds) {
  EXPECT_EQ(Window(1, 3).now(), 3u);
  EXPECT_EQ(Window(8, 20).now(), 8u);
  EXPECT_EQ(Window(8, 2).now(), 2u) << "a floor above the limit is the limit";
  EXPECT_EQ(Window(0, 0).now(), 1u) << "nothing goes without a connection";
}

TEST(Window, StrayFailuresMoveNothing) {
  Window window = warned(1, 20);
  messages_until(&window, 10);
  for (int i = 0; i < 9; ++i) window.trouble();
  EXPECT_EQ(window.now(), 10u);
  for (int i = 0; i < 9; ++i) window.taken();
  EXPECT_EQ(window.now(), 10u);
  for (int i = 0; i < 10; ++i) window.trouble();
  EXPECT_EQ(window.now(), 9u) << "a whole window of them takes a step";
  window.taken();
  EXPECT_EQ(window.now(), 9u) << "which the next reply does not take back";
}

TEST(Window, TroubleEndsAtTheFloor) {
  Window window(3, 20);
  for (int i = 0; i < 1000; ++i) window.trouble();
  EXPECT_EQ(window.now(), 3u);
}

TEST(Window, ThrottlingTakesAQuarterAtOnceButOnceASecond) {
  Window window(1, 20);
  messages_until(&window, 20);
  for (int i = 0; i < 20; ++i) window.throttled(kStart + i * 49ms);
  EXPECT_EQ(window.now(), 15u) << "what was in flight is one event";
  window.throttled(kStart + 1s);
  EXPECT_EQ(window.now(), 11u);
  for (int i = 2; i < 60; ++i) window.throttled(kStart + i * 1s);
  EXPECT_EQ(window.now(), 1u);
  Window small(1, 2);
  small.throttled(kStart);
  EXPECT_EQ(small.now(), 1u) << "one at least";
}

TEST(Window, NewBoundsMoveItNoFurtherThanTheyMust) {
  Window window(1, 20);
  messages_until(&window, 12);
  window.set(1, 30);
  EXPECT_EQ(window.now(), 12u);
  window.set(1, 6);
  EXPECT_EQ(window.now(), 6u);
  window.set(9, 30);
  EXPECT_EQ(window.now(), 9u);
  window.reset();
  EXPECT_EQ(window.now(), 9u);
  EXPECT_TRUE(window.as_new());
}

TEST(Window, IsNotAsNewWhenItCameBackToItsBeginByARefusal) {
  Window window(1, 20);
  window.cap(Window::kBegin);
  EXPECT_EQ(window.now(), Window::kBegin);
  EXPECT_FALSE(window.as_new()) << "a restart must not make it open fast again";
}

TEST(Window, SurvivesARestart) {
  Window window = warned(1, 20);
  messages_until(&window, 10);
  for (int i = 0; i < 9; ++i) window.taken();
  const Moment moment{kStart, conf::from_unix_micros(1'700'000'000'000'000)};
  std::string saved;
  SavedWriter writer(&saved, moment);
  window.save(&writer);
  Window restored(1, 20);
  SavedReader reader(saved, moment);
  restored.restore(&reader);
  EXPECT_TRUE(reader.ok() && reader.ended());
  EXPECT_EQ(restored.now(), 10u);
  restored.taken();
  EXPECT_EQ(restored.now(), 11u) << "the fraction too";
  EXPECT_EQ(messages_until(&restored, 12), 11) << "how it came to be is not known: slowly";
  restored.reset();
  EXPECT_EQ(messages_until(&restored, 6), 4) << "as new: it opens";
  Window lower(1, 4);
  SavedReader again(saved, moment);
  lower.restore(&again);
  EXPECT_EQ(lower.now(), 4u) << "the limit of today holds";
}

}  // namespace
}  // namespace mx
