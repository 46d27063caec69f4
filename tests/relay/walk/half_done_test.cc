#include "relay/walk/half_done.h"

#include <gtest/gtest.h>

#include <vector>

#include "relay/queue/message.h"
#include "relay/spool/memory_spool.h"

namespace relay {
namespace {

class HalfDoneTest : public testing::Test {
 protected:
  HalfDoneTest() {
    message_.pins = 2;
    for (const char* domain : {"one.test", "two.test"}) {
      queue::Delivery* delivery =
          store_.add(1, domains_.intern(conf::Domain::from_canonical(domain)), conf::Instant{});
      delivery->message = &message_;
      deliveries_.push_back(delivery);
    }
  }
  static spool::MessageRecord record() {
    spool::MessageRecord record;
    record.id = 1;
    for (const char* each : {"a@one.test", "b@two.test"})
      record.recipients.push_back({{conf::Mailbox::parse(each).value()}});
    return record;
  }
  void ended(queue::Delivery* delivery) {
    delivery->changed = true;
    half_.add(*delivery, now_);
  }

  spool::MemorySpool spool_;
  queue::DomainTable domains_;
  queue::DeliveryStore store_;
  queue::Message message_{record(), conf::Bytes()};
  std::vector<queue::Delivery*> deliveries_;
  HalfDone half_{&spool_, &domains_, &store_};
  conf::Instant now_{conf::Duration(1'000'000)};
};

TEST_F(HalfDoneTest, AMessageWhoseDomainsEndOneByOneIsGoneThroughOnce) {
  for (queue::Delivery* delivery : deliveries_) ended(delivery);
  ended(deliveries_[0]);
  EXPECT_EQ(half_.next_wake(), now_ + HalfDone::kPatience);
  half_.step(now_);
  EXPECT_EQ(spool_.waiting(), 0U);
  half_.step(now_ + HalfDone::kPatience);
  EXPECT_EQ(spool_.waiting(), 2U) << "one state for each domain";
  EXPECT_EQ(half_.next_wake(), conf::kNever) << "the message stood there once";
  now_ += HalfDone::kPatience;
  ended(deliveries_[1]);  // the next recipients of the same message
  half_.step(now_ + HalfDone::kPatience);
  EXPECT_EQ(spool_.waiting(), 3U);
}

TEST_F(HalfDoneTest, WhatDidNotChangeOrIsNotInMemoryIsNotWritten) {
  half_.add(*deliveries_[0], now_);
  EXPECT_EQ(half_.next_wake(), conf::kNever);
  ended(deliveries_[0]);
  deliveries_[0]->message = nullptr;
  half_.step(now_ + HalfDone::kPatience);
  EXPECT_EQ(spool_.waiting(), 0U);
}

}  // namespace
}  // namespace relay
