#include "relay/queue/message_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "relay/spool/memory_spool.h"

namespace relay {
namespace {

spool::MessageRecord record(conf::MessageId id) {
  spool::MessageRecord out;
  out.id = id;
  out.recipients.resize(1);
  return out;
}

TEST(MessageCache, LoadsOnceAndForgetsWithTheLastPin) {
  spool::MemorySpool spool;
  spool.store(record(1), conf::Bytes("body"), [](const conf::Result<spool::Receipt>&) {});
  spool.run_batch();
  spool.drain_completions();
  queue::MessageCache cache(&spool, 1'000'000);
  std::vector<queue::Message*> got;
  for (int i = 0; i < 2; ++i) {
    cache.pin(1, i == 1, [&got](conf::Result<queue::Message*> message) { got.push_back(message.value()); });
  }
  while (got.size() < 2) {
    spool.run_batch();
    spool.drain_completions();
  }
  EXPECT_EQ(got[0], got[1]);
  EXPECT_EQ(got[0]->body.view(), "body");
  EXPECT_EQ(got[0]->pins, 2U);
  EXPECT_GT(cache.used_bytes(), 0U);
  cache.unpin(got[0]);
  cache.unpin(got[0]);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.used_bytes(), 0U);
}

TEST(MessageCache, ARecordInMemoryIsNotReplacedByAnOlderOneFromTheSpool) {
  spool::MemorySpool spool;
  spool.store(record(1), conf::Bytes("body"), [](const conf::Result<spool::Receipt>&) {});
  spool.run_batch();
  spool.drain_completions();
  queue::MessageCache cache(&spool, 1'000'000);
  queue::Message* fresh = cache.insert(record(1), conf::Bytes(), 1);
  ASSERT_NE(fresh, nullptr);
  fresh->body.reset();
  queue::Message* loaded = nullptr;
  cache.pin(1, true, [&loaded](conf::Result<queue::Message*> message) { loaded = message.value(); });
  spool.run_batch();                         // the old record is read ...
  fresh->record.recipients[0].attempts = 9;  // ... while the newer one is in memory and then let go
  cache.unpin(fresh);
  spool.drain_completions();
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->record.recipients[0].attempts, 9);
  cache.unpin(loaded);
}

TEST(MessageCache, BeyondTheBudgetNothingIsKept) {
  spool::MemorySpool spool;
  queue::MessageCache cache(&spool, 10'000);
  EXPECT_NE(cache.insert(record(1), conf::Bytes(std::string(5000, 'x')), 1), nullptr);
  EXPECT_EQ(cache.insert(record(2), conf::Bytes(std::string(5000, 'x')), 1), nullptr);
}

// A spool with messages 1 to `count`, and a cache that reads them back.
class ReadBack : public testing::Test {
 protected:
  static constexpr uint64_t kBudget = 80'000'000;
  void store(conf::MessageId first, size_t count, size_t octets) {
    for (size_t i = 0; i < count; ++i) {
      spool::MessageRecord message = record(first + i);
      message.size_bytes = octets;
      spool_.store(message, conf::Bytes(std::string(octets, 'x')),
                   [](const conf::Result<spool::Receipt>&) {});
    }
    run();
  }
  void pin(conf::MessageId id) {
    cache_.pin(id, true, [this](conf::Result<queue::Message*> message) {
      ASSERT_TRUE(message.ok());
      ASSERT_TRUE(message.value()->body.has_value());
      here_.push_back(message.value());
    });
  }
  void run() {
    while (spool_.run_batch() > 0) spool_.drain_completions();
  }

  spool::MemorySpool spool_;
  queue::MessageCache cache_{&spool_, kBudget};
  std::vector<queue::Message*> here_;
};

TEST_F(ReadBack, BodiesWaitForRoom) {
  store(1, 40, 10'000'000);
  for (conf::MessageId id = 1; id <= 40; ++id) pin(id);
  run();
  EXPECT_EQ(here_.size(), 7U) << "80 MB hold seven of 10 MB and their records";
  size_t sent = 0;
  for (; !here_.empty(); ++sent) {
    EXPECT_LE(cache_.used_bytes(), kBudget);
    queue::Message* message = here_.front();
    here_.erase(here_.begin());
    cache_.unpin(message);
    run();
  }
  EXPECT_EQ(sent, 40U);
  EXPECT_EQ(cache_.used_bytes(), 0U);
}

TEST_F(ReadBack, BigOnesThatAreSlowKeepNoSmallOnesOut) {
  store(1, 20, 10'000'000);
  store(101, 200, 10'000);
  for (conf::MessageId id = 1; id <= 20; ++id) pin(id);
  run();
  here_.clear();
  for (conf::MessageId id = 101; id <= 300; ++id) pin(id);
  run();
  EXPECT_EQ(here_.size(), 200U);
}

// Mail that waits for a destination that is away may fill what is kept: the rest goes on.
TEST_F(ReadBack, WhatIsKeptLeavesRoomForWhatIsReadBack) {
  store(1, 3, 10'000'000);
  store(101, 20, 10'000);
  conf::MessageId id = 1000;
  while (cache_.insert(record(id), conf::Bytes(std::string(1'000'000, 'x')), 1) != nullptr) ++id;
  EXPECT_EQ(id - 1000, 60U);
  for (conf::MessageId small = 101; small <= 120; ++small) pin(small);
  pin(1);
  pin(2);
  run();
  EXPECT_EQ(here_.size(), 21U);
  EXPECT_LE(cache_.used_bytes(), kBudget);
}

TEST_F(ReadBack, OneBodyIsReadHoweverBigItIs) {
  store(1, 2, 100'000'000);
  pin(1);
  pin(2);
  run();
  ASSERT_EQ(here_.size(), 1U);
  cache_.unpin(here_[0]);
  run();
  EXPECT_EQ(here_.size(), 2U);
}

TEST_F(ReadBack, WhatIsMissingMakesRoomToo) {
  store(1, 2, 60'000'000);
  bool failed = false;
  pin(1);
  run();
  cache_.pin(77, true, [&failed](const conf::Result<queue::Message*>& message) { failed = !message.ok(); });
  pin(2);
  run();
  EXPECT_TRUE(failed);
  EXPECT_EQ(here_.size(), 1U);
  EXPECT_EQ(cache_.loading(), 1U);
  cache_.unpin(here_[0]);
  run();
  EXPECT_EQ(here_.size(), 2U);
}

}  // namespace
}  // namespace relay
