#include "relay/spool/handover.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace relay::spool {
namespace {

using Numbers = Handover<std::unique_ptr<size_t>>;

// What is put, is made in time to be taken, and no more.
TEST(Handover, KeepsTheOrderAndRunsOnlyAFewBatchesAhead) {
  constexpr size_t kItems = Numbers::kBatchWeight * 20 + 7;
  constexpr size_t kMostAhead = Numbers::kBatchWeight * (Numbers::kBatchesAhead + 2);
  Numbers numbers;
  std::atomic<size_t> made = 0;
  std::thread maker([&] {
    for (size_t i = 0; i < kItems; ++i) {
      ++made;
      numbers.put(std::make_unique<size_t>(i));
    }
    numbers.close();
  });
  size_t taken = 0, furthest = 0;
  bool in_order = true;
  numbers.drain([&](const std::unique_ptr<size_t>& number) {
    furthest = std::max(furthest, made.load() - taken);
    in_order = in_order && *number == taken;
    ++taken;
  });
  maker.join();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(taken, kItems);
  EXPECT_LE(furthest, kMostAhead);
}

TEST(Handover, AHeavyItemIsABatch) {
  Numbers numbers;
  for (size_t i = 0; i < Numbers::kBatchesAhead; ++i)
    numbers.put(std::make_unique<size_t>(i), Numbers::kBatchWeight);
  std::atomic<bool> through = false;
  std::thread maker([&] {
    numbers.put(std::make_unique<size_t>(9), Numbers::kBatchWeight);  // waits for the first to be taken
    through = true;
    numbers.close();
  });
  EXPECT_FALSE(through);
  size_t taken = 0;
  numbers.drain([&taken](const std::unique_ptr<size_t>&) { ++taken; });
  maker.join();
  EXPECT_EQ(taken, Numbers::kBatchesAhead + 1);
}

TEST(Handover, NothingIsAnEndToo) {
  Numbers numbers;
  numbers.close();
  numbers.drain([](const std::unique_ptr<size_t>&) { ADD_FAILURE(); });
}

}  // namespace
}  // namespace relay::spool
