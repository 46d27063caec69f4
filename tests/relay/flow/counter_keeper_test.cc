#include "relay/flow/counter_keeper.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/spool/memory_spool.h"
#include "tests/relay/manual_clock.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr size_t kMany = 2500;  // more than two writes take

class CounterKeeperTest : public testing::Test {
 protected:
  mx::Moment moment() const { return {clock_.now(), clock_.wall()}; }
  // Something is decided about the first `count` sites: their counters change.
  void change(size_t count) {
    held_.resize(std::max(held_.size(), count));
    for (size_t i = 0; i < count; ++i) {
      held_[i] = limiters_.standing({"rule", "s" + std::to_string(i) + "|", "source"}, limits_, moment());
      held_[i]->block_by_rule(clock_.now() + 1h, "test", clock_.now());
    }
  }
  void lift(size_t site) { held_[site]->unblock(clock_.now()); }
  void write(size_t batches = 1) {
    for (size_t i = 0; i < batches; ++i) {
      keeper_.step(clock_.now(), true);
      spool_.run_batch();
      spool_.drain_completions();
    }
  }
  // What the next process finds.
  struct Found {
    size_t blocked = 0;
    bool gap = false;
  };
  Found found() {
    Found found;
    mx::LimiterTable next;
    bool record = false;
    EXPECT_TRUE(spool_
                    .kept(
                        [&](std::string_view key, std::string_view value) {
                          conf::WallTime begin, end;
                          if (key == mx::Lease::kKey) {
                            record = true;
                            found.gap = mx::Lease::gap(value, clock_.wall(), &begin, &end);
                          } else {
                            EXPECT_TRUE(next.restore(key, value, moment()));
                          }
                        },
                        [](const std::string&, const std::string&) {})
                    .ok());
    if (!record) found.gap = true;
    found.blocked = next.detached(clock_.now()).blocked;
    return found;
  }

  ManualClock clock_;
  mx::PathLimits limits_;
  spool::MemorySpool spool_;
  mx::LimiterTable limiters_;
  std::vector<std::shared_ptr<mx::Standing>> held_;
  CounterKeeper keeper_{&spool_, &limiters_, &clock_};
};

TEST_F(CounterKeeperTest, ARoundOfSeveralWritesRenewsTheLeaseWhenItIsWhole) {
  change(kMany);
  write(2);
  EXPECT_FALSE(keeper_.lease().valid(clock_.now()));
  write();
  EXPECT_TRUE(keeper_.lease().valid(clock_.now()));
}

TEST_F(CounterKeeperTest, ARoundOfWhichAPartFailedRenewsNothing) {
  change(kMany);
  spool_.fail_writes(conf::Error{conf::ErrorCode::kIo, "the disk is away"});
  write();
  spool_.fail_writes(std::nullopt);
  write(2);
  EXPECT_FALSE(keeper_.lease().valid(clock_.now())) << "a part of what was counted is not on disk";
  clock_.time += mx::Lease::kPeriod;
  write(3);
  EXPECT_TRUE(keeper_.lease().valid(clock_.now()));
  EXPECT_EQ(found().blocked, kMany);
}

TEST_F(CounterKeeperTest, AnOrderlyEndAmidARoundWritesAlsoWhatChangedSince) {
  change(kMany);
  write();
  for (size_t i = 0; i < kMany; ++i) lift(i);
  keeper_.close();
  spool_.flush();
  const Found at_start = found();
  EXPECT_EQ(at_start.blocked, 0U);
  EXPECT_FALSE(at_start.gap) << "it ended in order";
}

}  // namespace
}  // namespace relay
