#include "relay/queue/body_room.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "relay/queue/body_size.h"
#include "relay/queue/message_cache.h"
#include "relay/spool/memory_spool.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using queue::BodyRoom;
using queue::BodySize;

constexpr conf::Instant kStart{1h};

// As many bodies of this size as find room.
size_t fill(BodyRoom* room, conf::MessageId id, uint64_t octets) {
  size_t bodies = 0;
  for (; room->may_read(id, octets, kStart); ++bodies) room->read(octets);
  return bodies;
}

TEST(BodySize, IsRoundedUpByAnEighthAtTheMost) {
  for (uint64_t octets = 0; octets < 300'000; ++octets) {
    const uint64_t rounded = BodySize(octets).octets();
    ASSERT_GE(rounded, octets);
    ASSERT_LE(rounded, octets + octets / 8) << octets;
  }
  EXPECT_EQ(BodySize(uint64_t{1} << 33).octets(), uint64_t{1} << 33);
  EXPECT_EQ(BodySize(uint64_t{1} << 60).octets(), uint64_t{15} << 30) << "the largest that it can tell";
}

TEST(BodyRoom, WhatCameInTakesThreeQuarters) {
  BodyRoom room(1'000'000);
  EXPECT_TRUE(room.may_keep(750'000, 0));
  EXPECT_FALSE(room.may_keep(750'001, 0));
  BodyRoom::Share kept = room.keep(700'000);
  EXPECT_FALSE(room.may_keep(60'000, 0));
  EXPECT_FALSE(room.may_keep(10'000, 745'000)) << "records take memory, too";
  // The last quarter has room for the biggest body that is counted as it is.
  EXPECT_TRUE(room.may_read(1, 62'500, kStart));
  room.give_back(&kept);
  EXPECT_TRUE(room.may_keep(750'000, 0));
}

TEST(BodyRoom, BigOnesLeaveRoomForSmallOnes) {
  BodyRoom room(1'000'000);
  EXPECT_EQ(fill(&room, 1, 50'000), 17U);  // 850,000 and four times 50,000 are too many
  EXPECT_EQ(fill(&room, 2, 1'000), 147U);
}

// As one would be who stands behind smaller ones that come for ever.
TEST(BodyRoom, WhoeverWaitsLongGoesBeforeThoseOfHisSize) {
  BodyRoom room(1'000'000);
  std::vector<BodyRoom::Share> shares;
  while (shares.size() < 97) shares.push_back(room.read(10'000));
  conf::Instant now = kStart;
  const auto one_ends = [&] {
    room.give_back(&shares.back());
    shares.pop_back();
  };
  bool went = false;
  for (int i = 0; i < 200 && !went; ++i, now += 250ms) {
    one_ends();
    went = room.may_read(1, 60'000, now);
    if (!went && room.may_read(100 + i, 10'000, now)) shares.push_back(room.read(10'000));
  }
  EXPECT_TRUE(went);
  EXPECT_GE(now, kStart + 10s);
  EXPECT_LE(now, kStart + 15s);
  EXPECT_TRUE(room.may_read(5, 10, now)) << "and the smallest still find some";
}

TEST(BodyRoom, WhoAsksNoMoreHoldsNobodyUp) {
  BodyRoom room(1'000'000);
  std::vector<BodyRoom::Share> shares;
  while (shares.size() < 97) shares.push_back(room.read(10'000));
  conf::Instant now = kStart;
  for (; now < kStart + 11s; now += 1s) ASSERT_FALSE(room.may_read(1, 60'000, now));
  room.give_back(&shares.back());
  EXPECT_FALSE(room.may_read(2, 10'000, now)) << "the one that waits is next";
  EXPECT_TRUE(room.may_read(2, 10'000, now + 3s));
}

TEST(BodyRoom, BigOnesGoTogetherWhereTheyFit) {
  BodyRoom room(1'000'000);
  // Eight leave two tenths: another one does not leave three sixteenths.
  EXPECT_EQ(fill(&room, 1, 100'000), 8U);
  EXPECT_TRUE(room.may_read(2, 12'000, kStart)) << "and small ones go on";
}

TEST(BodyRoom, OneThatDoesNotFitAtATime) {
  BodyRoom room(1'000'000);
  ASSERT_TRUE(room.may_read(1, 5'000'000, kStart));
  BodyRoom::Share first = room.read(5'000'000);
  EXPECT_FALSE(room.may_read(2, 5'000'000, kStart));
  EXPECT_TRUE(room.may_read(3, 60'000, kStart)) << "the others go on";
  room.give_back(&first);
  EXPECT_TRUE(room.may_read(2, 5'000'000, kStart));
}

// An operator made the budget smaller, and what came in before waits for a blocked destination.
TEST(BodyRoom, ASmallerBudgetLeavesAQuarterToRead) {
  BodyRoom room(1'000'000);
  room.keep(700'000);
  room.set_budget(100'000);
  EXPECT_FALSE(room.may_keep(1, 0));
  EXPECT_TRUE(room.may_read(1, 6'000, kStart));
}

class BodiesOfReports : public testing::Test {
 protected:
  static constexpr size_t kMessages = 30;
  void SetUp() override {
    for (conf::MessageId id = 1; id <= kMessages; ++id) {
      spool::MessageRecord record;
      record.id = id;
      record.recipients.push_back({{conf::Mailbox::parse("a@b.test").value()}});
      spool_.store(std::move(record), conf::Bytes("body"), [](const conf::Result<spool::Receipt>&) {});
    }
    run();
  }
  void run() {
    spool_.run_batch();
    spool_.drain_completions();
  }
  spool::MemorySpool spool_;
  queue::MessageCache cache_{&spool_, 1'000'000};
};

// A thousand messages whose time is over would be in memory all at once.
TEST_F(BodiesOfReports, AreReadAFewAtATime) {
  size_t done = 0;
  for (conf::MessageId id = 1; id <= kMessages; ++id) {
    cache_.pin(id, true, [&](conf::Result<queue::Message*> message) {
      ++done;
      cache_.unpin(message.value());
    });
  }
  size_t rounds = 0;
  for (size_t before = 0; done < kMessages; ++rounds, before = done) {
    run();
    ASSERT_GT(done, before);
    ASSERT_LE(done - before, 8U);
  }
  EXPECT_GE(rounds, 4U);
  EXPECT_EQ(cache_.used_bytes(), 0U);
  EXPECT_EQ(cache_.loading(), 0U);
}

TEST_F(BodiesOfReports, OneThatIsToBeSentGoesAtOnce) {
  std::vector<queue::Message*> read;
  const auto keep = [&](conf::Result<queue::Message*> message) { read.push_back(message.value()); };
  for (conf::MessageId id = 1; id <= kMessages; ++id) cache_.pin(id, true, keep);
  cache_.pin_to_send(kMessages, BodySize(4), keep);
  run();
  EXPECT_EQ(std::ranges::count(read, conf::MessageId{kMessages}, [](auto* each) { return each->record.id; }),
            2);
  while (read.size() < kMessages + 1) run();
  for (queue::Message* each : read) cache_.unpin(each);
  EXPECT_EQ(cache_.size(), 0U);
  EXPECT_EQ(cache_.body_octets(), 0U);
}

}  // namespace
}  // namespace relay
