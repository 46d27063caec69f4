#include "relay/flow/work_list.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class WorkListTest : public testing::Test {
 protected:
  // The numbers of the paths that are marked, in their order.
  std::vector<size_t> taken() {
    std::vector<size_t> numbers;
    while (queue::Path* path = list_.take()) numbers.push_back(static_cast<size_t>(path - paths_.data()));
    return numbers;
  }
  using Numbers = std::vector<size_t>;

  std::array<queue::Path, 4> paths_;
  WorkList list_;
};

TEST_F(WorkListTest, APathStandsInTheListOnceHoweverOftenItIsMarked) {
  list_.mark(&paths_[1]);
  list_.mark(&paths_[0]);
  list_.mark(&paths_[1]);
  EXPECT_EQ(taken(), (Numbers{1, 0}));
  EXPECT_TRUE(list_.empty());
  list_.mark(&paths_[1]);
  EXPECT_EQ(taken(), (Numbers{1})) << "taken: it may be marked again";
}

TEST_F(WorkListTest, TimeMarksPathsInTheOrderInWhichTheyBeganToWait) {
  const conf::Instant soon{10s}, later{20s};
  list_.set_wake(&paths_[2], later);
  list_.set_wake(&paths_[1], soon);
  list_.set_wake(&paths_[0], soon);
  EXPECT_EQ(list_.next_wake(), soon);
  list_.wake_due(soon - 1ms, 10);
  EXPECT_EQ(taken(), Numbers{});
  list_.wake_due(soon, 10);
  EXPECT_EQ(taken(), (Numbers{1, 0}));
  EXPECT_EQ(list_.next_wake(), later);
  EXPECT_FALSE(paths_[1].work.in_a_list());
}

TEST_F(WorkListTest, ALaterWordAboutWhenReplacesTheOneBefore) {
  list_.set_wake(&paths_[0], conf::Instant{10s});
  list_.set_wake(&paths_[0], conf::Instant{30s});
  list_.wake_due(conf::Instant{29s}, 10);
  EXPECT_EQ(taken(), Numbers{});
  list_.set_wake(&paths_[0], conf::kNever);
  list_.wake_due(conf::Instant{31s}, 10);
  EXPECT_EQ(taken(), Numbers{});
  EXPECT_EQ(list_.next_wake(), conf::kNever);
}

TEST_F(WorkListTest, AStepWakesNoMoreThanItIsTold) {
  for (queue::Path& path : paths_) list_.set_wake(&path, conf::Instant{1s});
  list_.wake_due(conf::Instant{1s}, 3);
  EXPECT_EQ(taken(), (Numbers{0, 1, 2}));
  list_.wake_due(conf::Instant{1s}, 3);
  EXPECT_EQ(taken(), (Numbers{3}));
}

TEST_F(WorkListTest, ThoseThatStarveLongestAreFedFirstAndNoMoreThanThereIsRoomFor) {
  for (queue::Path& path : paths_) list_.starve(&path);
  list_.starve(&paths_[0]);
  EXPECT_EQ(list_.starving(), 4U);
  list_.feed(100, 3);
  EXPECT_EQ(taken(), (Numbers{0, 1, 2}));
  EXPECT_TRUE(paths_[3].work.starves());
  EXPECT_FALSE(paths_[0].work.starves());
}

TEST_F(WorkListTest, TheEndOfAPauseFeedsAllThatStarvedInItWithoutRoomSomeInEachStep) {
  for (queue::Path& path : paths_) list_.starve(&path);
  list_.feed(3, 0);
  EXPECT_EQ(taken(), Numbers{}) << "the pause is not over";
  list_.resume();
  list_.feed(3, 0);
  EXPECT_EQ(taken(), (Numbers{0, 1, 2}));
  EXPECT_TRUE(list_.has_resumed());
  list_.starve(&paths_[0]);  // for another reason than the pause
  list_.feed(3, 0);
  EXPECT_EQ(taken(), (Numbers{3}));
  EXPECT_FALSE(list_.has_resumed());
  EXPECT_TRUE(paths_[0].work.starves());
}

}  // namespace
}  // namespace relay
