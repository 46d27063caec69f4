#include "relay/spool/completions.h"

#include <gtest/gtest.h>

namespace relay::spool {
namespace {

TEST(Completions, OneDrainTakesNoMoreThanItMayAndWakesForTheRest) {
  Completions completions;
  int wakes = 0, ran = 0;
  completions.on_ready([&] { ++wakes; });
  std::vector<Completion> ready;
  for (int i = 0; i < 10; ++i) ready.emplace_back([&ran] { ++ran; });
  completions.push(std::move(ready));
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(completions.drain(4 * (Completion::kOfItsOwn + 1)), 4U)
      << "each counts by itself and its recipient";
  EXPECT_EQ(wakes, 2);
  completions.push([&ran] { ++ran; });
  EXPECT_EQ(wakes, 2) << "who was woken and has not come is not woken again";
  EXPECT_EQ(completions.drain(), 7U);
  EXPECT_EQ(ran, 11);
  EXPECT_EQ(wakes, 2);
}

TEST(Completions, OneThatIsMoreThanADrainMayTakeRunsAlone) {
  Completions completions;
  int ran = 0;
  std::vector<Completion> ready;
  for (int i = 0; i < 2; ++i) ready.push_back({[&ran] { ++ran; }, 5000});
  completions.push(std::move(ready));
  EXPECT_EQ(completions.drain(1000), 1U);
  EXPECT_EQ(completions.drain(1000), 1U);
  EXPECT_EQ(completions.drain(1000), 0U);
  EXPECT_EQ(ran, 2);
}

}  // namespace
}  // namespace relay::spool
