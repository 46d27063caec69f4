// When a finished message leaves the spool, with a journal whose gating feed the test holds back.
#include "relay/walk/retirement.h"

#include <gtest/gtest.h>

#include "relay/spool/memory_spool.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class Gate final : public journal::Feed {
 public:
  journal::FeedClass feed_class() const override { return journal::FeedClass::kGatesRemoval; }
  void take(uint64_t, const conf::DeliveryEvent&) override {}
  uint64_t through() const override { return done; }
  uint64_t done = 0;
};

constexpr uint64_t kWrites = 2;  // of a message with one recipient: its state, and whether it is on hold

class RetirementTest : public testing::Test {
 protected:
  RetirementTest() : cache_(&spool_, 100'000'000), retirement_(&journal_, &spool_, &cache_) {
    journal_.add(&gate_);
  }
  void finish(conf::MessageId id, conf::Instant now) {
    spool::MessageRecord record;
    record.id = id;
    record.recipients.resize(1);
    spool_.store(record, conf::Bytes("x"), [](conf::Result<spool::Receipt>) {});
    settle();
    queue::Message* message = cache_.insert(record, conf::Bytes("x"), 1);
    message->record.recipients[0].state = spool::RecipientState::kDelivered;
    journal_.append({});
    retirement_.add(message, now);
  }
  void settle() {
    spool_.run_batch();
    spool_.drain_completions();
  }
  uint64_t updates() {
    settle();
    return spool_.counters().updated;
  }
  uint64_t removals() {
    settle();
    return spool_.counters().removed;
  }

  spool::MemorySpool spool_;
  queue::MessageCache cache_;
  journal::Journal journal_;
  Gate gate_;
  Retirement retirement_;
  conf::Instant now_{1h};
};

TEST_F(RetirementTest, AMessageStaysUntilItsLastEventIsThrough) {
  finish(1, now_);
  retirement_.step(now_);
  EXPECT_EQ(removals(), 0U);
  gate_.done = 1;
  retirement_.step(now_);
  EXPECT_EQ(removals(), 1U);
  EXPECT_EQ(cache_.size(), 0U);
  EXPECT_EQ(updates(), 0U) << "nothing had to be written down";
}

TEST_F(RetirementTest, AFeedThatStandsStillCostsOneWriteForEachMessage) {
  for (conf::MessageId id = 1; id <= 5000; ++id) finish(id, now_);
  now_ += 2s;
  int steps = 0;
  for (; retirement_.next_wake() <= now_; ++steps) retirement_.step(now_);
  EXPECT_EQ(updates(), 5000 * kWrites);
  EXPECT_GT(steps, 1) << "not all in one step";
  EXPECT_EQ(retirement_.next_wake(), conf::kNever) << "what is written down is not looked at again";
  for (int i = 0; i < 10; ++i) retirement_.step(now_);
  EXPECT_EQ(updates(), 5000 * kWrites);
  EXPECT_EQ(cache_.size(), 0U);
  gate_.done = 5000;
  retirement_.step(now_);
  EXPECT_GT(retirement_.waiting(), 0U) << "not all in one step";
  EXPECT_LE(retirement_.next_wake(), now_) << "the next one is due at once";
  retirement_.step(now_);
  EXPECT_EQ(removals(), 5000U);
  EXPECT_EQ(retirement_.waiting(), 0U);
  EXPECT_EQ(retirement_.next_wake(), conf::kNever);
}

TEST_F(RetirementTest, AtTheEndWhatIsThroughTheJournalLeavesAndIsNotToldAgainByARestart) {
  finish(1, now_);
  finish(2, now_);
  gate_.done = 1;
  retirement_.close();
  EXPECT_EQ(removals(), 1U);
  EXPECT_EQ(updates(), kWrites) << "of the other one";
}

TEST_F(RetirementTest, TheEndWritesDownWhatOnlyMemoryKnows) {
  finish(1, now_);
  retirement_.close();
  EXPECT_EQ(updates(), kWrites);
  EXPECT_EQ(removals(), 0U);
}

}  // namespace
}  // namespace relay
