#include "relay/flow/waiting_mail.h"

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// The walk says: a delivery with a number up to `expiring` expires five minutes after the start.
class WaitingMailTest : public PathTest {
 protected:
  ~WaitingMailTest() override {
    while (mail_.take(&path_, std::nullopt) != nullptr) {
    }
  }
  queue::Delivery* add() {
    queue::Delivery* delivery = deliveries_.add(++last_id_, 1, clock_.now());
    mail_.add(delivery, &path_);
    return delivery;
  }

  queue::DeliveryStore deliveries_;
  spool::MemorySpool spool_;
  queue::MessageCache messages_{&spool_, 1'000'000};
  ScriptedWalk walk_;
  BackOff back_off_{&flow_, &random_};
  SharedLines lines_;
  WorkList work_;
  WaitingMail mail_{{&flow_, &walk_, &messages_, &back_off_, &lines_, &work_}};
  conf::MessageId last_id_ = 0;
};

TEST_F(WaitingMailTest, MailThatComesMarksItsPathAndIsTakenInItsOrder) {
  queue::Delivery* first = add();
  queue::Delivery* second = add();
  EXPECT_EQ(work_.take(), &path_);
  EXPECT_EQ(mail_.size(), 2U);
  EXPECT_EQ(mail_.take(&path_, std::nullopt), first);
  EXPECT_EQ(mail_.take(&path_, second->sender), second);
  EXPECT_EQ(mail_.take(&path_, std::nullopt), nullptr);
  EXPECT_EQ(mail_.size(), 0U);
}

TEST_F(WaitingMailTest, TheRestOfADeliveryGoesBeforeAllOthers) {
  queue::Delivery* first = add();
  queue::Delivery* second = add();
  ASSERT_EQ(mail_.take(&path_, std::nullopt), first);
  first->move_to(queue::DeliveryState::kLoading);
  mail_.add_first(first);
  EXPECT_EQ(mail_.take(&path_, std::nullopt), first);
  EXPECT_EQ(mail_.take(&path_, std::nullopt), second);
}

TEST_F(WaitingMailTest, WhatComesBackFromAConnectionExpiresInItsTime) {
  walk_.expiring = 1;
  queue::Delivery* away = add();
  ASSERT_EQ(mail_.take(&path_, std::nullopt), away);
  away->move_to(queue::DeliveryState::kLoading);
  mail_.expire(&path_, clock_.now());  // a round that does not see it
  ASSERT_GT(path_.first_expiry, conf::Instant{1h} + 5min);
  mail_.add_first(away);
  EXPECT_EQ(path_.first_expiry, conf::Instant{1h} + 5min);
}

TEST_F(WaitingMailTest, WhatIsRemovedHasNoPathAndItsPathIsLookedAt) {
  queue::Delivery* delivery = add();
  work_.take();
  mail_.remove(delivery);
  EXPECT_EQ(delivery->path, nullptr);
  EXPECT_EQ(mail_.size(), 0U);
  EXPECT_EQ(work_.take(), &path_);
}

TEST_F(WaitingMailTest, ExpiredMailGoesBackToTheWalkAndOtherMailStays) {
  walk_.expiring = 1;
  queue::Delivery* expires = add();
  queue::Delivery* stays = add();
  EXPECT_EQ(path_.first_expiry, conf::Instant{1h} + 5min);
  clock_.time += 5min;
  ASSERT_TRUE(WaitingMail::expiry_is_due(path_, clock_.now()));
  mail_.expire(&path_, clock_.now());
  EXPECT_EQ(walk_.back, std::vector<queue::Delivery*>{expires});
  EXPECT_EQ(walk_.reports, std::vector<Report::Kind>{Report::Kind::kExpired});
  EXPECT_EQ(expires->path, nullptr);
  EXPECT_EQ(path_.ready.front(), stays);
  EXPECT_EQ(mail_.size(), 1U);
}

TEST_F(WaitingMailTest, ManyThatExpireTogetherGoInPartsAndEachIsLookedAtOnce) {
  constexpr size_t kMany = 1000;
  walk_.expiring = kMany;
  for (size_t i = 0; i < kMany; ++i) add();
  clock_.time += 5min;
  walk_.looks = 0;
  mail_.expire(&path_, clock_.now());
  EXPECT_EQ(walk_.back.size(), 256U) << "each needs its record";
  EXPECT_TRUE(WaitingMail::expiry_is_due(path_, clock_.now())) << "the round goes on";
  EXPECT_LE(WaitingMail::next_expiry(path_, clock_.now()), clock_.now() + 1ms);
  for (int i = 0; i < 4; ++i) mail_.expire(&path_, clock_.now());
  EXPECT_EQ(walk_.back.size(), kMany);
  EXPECT_EQ(walk_.looks, kMany);
}

TEST_F(WaitingMailTest, ARoundIsNotRepeatedWithinAMinute) {
  add();
  clock_.time += 1000h - 1h - 1s;  // its validity ends in a second
  path_.first_expiry = clock_.now();
  mail_.expire(&path_, clock_.now());  // it stays
  mail_.expire(&path_, clock_.now());  // the end of the round
  EXPECT_EQ(path_.first_expiry, clock_.now() + 1min);
}

TEST_F(WaitingMailTest, MailThatWaitsLongForAFailingPathIsToldOfOnce) {
  config_->ready_limit = 2min;
  config_->path_backoff_first = 10s;
  config_->path_backoff_max = 1h;
  queue::Delivery* delivery = add();
  back_off_.failed(&path_, error("refused"), clock_.now(), clock_.now());
  EXPECT_EQ(path_.first_expiry, clock_.now() + 2min);
  clock_.time += 2min;
  mail_.expire(&path_, clock_.now());
  EXPECT_EQ(walk_.told, std::vector<queue::Delivery*>{delivery});
  delivery->wait_told = true;
  mail_.expire(&path_, clock_.now());
  mail_.expire(&path_, clock_.now());
  EXPECT_EQ(walk_.told.size(), 1U);
}

}  // namespace
}  // namespace relay
