#include "relay/queue/message_cache.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
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

class MessageCacheTest : public testing::Test {
 protected:
  void store(conf::MessageId id, const std::string& body) {
    spool_.store(record(id), conf::Bytes(body), [](const conf::Result<spool::Receipt>&) {});
    run();
  }
  const queue::Delivery& delivery(conf::MessageId id, uint64_t size) {
    queue::Delivery& made = deliveries_.emplace_back();
    made.id = id;
    made.body_size = queue::BodySize::of(size);
    return made;
  }
  void run() {
    while (spool_.run_batch() > 0 || spool_.drain_completions() > 0) {
    }
    spool_.drain_completions();
  }
  queue::MessageCache::Use take() {
    return [this](const conf::Result<queue::Message*>& message) {
      if (message.ok()) {
        got_.push_back(message.value());
      } else {
        ++failed_;
      }
    };
  }
  void let_go() {
    for (queue::Message* message : got_) cache_.unpin(message);
    got_.clear();
  }

  std::deque<queue::Delivery> deliveries_;
  spool::MemorySpool spool_;
  queue::MessageCache cache_{&spool_, 80'000};
  std::vector<queue::Message*> got_;
  size_t failed_ = 0;
};

TEST_F(MessageCacheTest, LoadsOnceAndForgetsWithTheLastPin) {
  store(1, "body");
  cache_.pin(1, take());
  cache_.pin_with_body(delivery(1, 4), take());
  run();
  ASSERT_EQ(got_.size(), 2U);
  EXPECT_EQ(got_[0], got_[1]);
  EXPECT_EQ(got_[0]->body.view(), "body");
  EXPECT_EQ(got_[0]->pins, 2U);
  EXPECT_GT(cache_.used_bytes(), 0U);
  let_go();
  EXPECT_EQ(cache_.size(), 0U);
  EXPECT_EQ(cache_.used_bytes(), 0U);
}

TEST_F(MessageCacheTest, ARecordInMemoryIsNotReplacedByAnOlderOneFromTheSpool) {
  store(1, "body");
  queue::Message* fresh = cache_.insert(record(1), conf::Bytes(), 1);
  ASSERT_NE(fresh, nullptr);
  fresh->body.reset();
  cache_.pin_with_body(delivery(1, 4), take());
  spool_.run_batch();                        // the old record is read ...
  fresh->record.recipients[0].attempts = 9;  // ... while the newer one is in memory and then let go
  cache_.unpin(fresh);
  spool_.drain_completions();
  ASSERT_EQ(got_.size(), 1U);
  EXPECT_EQ(got_[0]->record.recipients[0].attempts, 9);
  let_go();
}

TEST_F(MessageCacheTest, BeyondThreeQuartersNothingIsKept) {
  EXPECT_NE(cache_.insert(record(1), conf::Bytes(std::string(50'000, 'x')), 1), nullptr);
  EXPECT_EQ(cache_.insert(record(2), conf::Bytes(std::string(10'000, 'x')), 1), nullptr);
}

TEST_F(MessageCacheTest, ABodyIsCountedFromWhenItIsAskedForUntilItIsGone) {
  store(1, std::string(9000, 'x'));
  const queue::Delivery& one = delivery(1, 9000);
  EXPECT_EQ(cache_.to_read(one), 1024 + 9216U) << "with its record, and rounded up";
  cache_.pin_with_body(one, take());
  EXPECT_EQ(cache_.room().read_back(), 1024 + 9216U);
  EXPECT_EQ(cache_.to_read(one), 0U) << "another delivery of the message costs nothing";
  cache_.pin_with_body(one, take());
  run();
  EXPECT_EQ(cache_.room().read_back(), 1024 + 9000U) << "once";
  EXPECT_FALSE(got_.at(0)->body.kept());
  got_[0]->body.reset();  // its end waits for the log: the body goes before the record
  EXPECT_EQ(cache_.used_bytes(), 0U);
  let_go();
  EXPECT_EQ(cache_.used_bytes(), 0U);
}

TEST_F(MessageCacheTest, ARecordThatIsBeingReadBecomesABodyToo) {
  store(1, "body");
  cache_.pin(1, take());
  EXPECT_EQ(cache_.used_bytes(), 0U) << "records are not counted";
  cache_.pin_with_body(delivery(1, 4), take());
  EXPECT_GT(cache_.used_bytes(), 0U);
  run();
  ASSERT_EQ(got_.size(), 2U);
  EXPECT_TRUE(got_[0]->body.has_value());
  let_go();
  EXPECT_EQ(cache_.used_bytes(), 0U);
}

TEST_F(MessageCacheTest, WhatCannotBeReadGivesItsRoomBack) {
  cache_.pin_with_body(delivery(77, 9000), take());
  EXPECT_GT(cache_.used_bytes(), 0U);
  run();
  EXPECT_EQ(failed_, 1U);
  EXPECT_EQ(cache_.used_bytes(), 0U);
}

TEST_F(MessageCacheTest, BodiesForReportsAreReadAFewTogetherAndBigOnesAlone) {
  store(1, "one");
  store(2, "two");
  store(3, "three");
  size_t read = 0;
  const auto count = [&](const conf::Result<conf::Bytes>& body) { read += body.ok() ? 1 : 0; };
  for (const conf::MessageId id : {1, 2, 3}) cache_.read_for_report(id, 5'000'000, count);
  EXPECT_EQ(cache_.loading(), 3U);
  spool_.run_batch();
  spool_.drain_completions();
  EXPECT_EQ(read, 1U);
  run();
  EXPECT_EQ(read, 3U);
  EXPECT_EQ(cache_.used_bytes(), 0U);
  for (const conf::MessageId id : {1, 2, 3, 77}) cache_.read_for_report(id, 1'000'000, count);
  spool_.run_batch();
  spool_.drain_completions();
  EXPECT_EQ(read, 6U);
  EXPECT_EQ(cache_.loading(), 0U);
  EXPECT_EQ(cache_.used_bytes(), 0U);
}

}  // namespace
}  // namespace relay
