// A host that accepts connections and then says nothing, beside one that is well.
#include <gtest/gtest.h>

#include "tests/relay/flow/dispatcher_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr const char* kBest = "127.0.0.1";
constexpr const char* kBackup = "127.0.0.2";

enum class SilentAt : uint8_t { kGreeting, kEhlo, kMail, kDot };

class SlowHostTest : public DispatcherTest {
 protected:
  SlowHostTest() { route_by({{"best.test", 5, 25, {kBest}}, {"backup.test", 10, 25, {kBackup}}}); }

  long visits_to_best() const { return std::ranges::count(network_.places, kBest); }
  void be_silent(SilentAt at) {
    network_.users.back()->on_connected();
    if (at > SilentAt::kGreeting) say("220 mx.test\r\n");
    if (at > SilentAt::kEhlo) say("250 mx.test\r\n");
    if (at > SilentAt::kMail) {
      say("250 ok\r\n");
      say("250 ok\r\n");
      say("354 go\r\n");
      network_.users.back()->on_drained();
    }
    clock_.time += at == SilentAt::kDot ? 10min + 1s : 5min + 1s;
    network_.users.back()->on_deadline();
  }
  void take_mail() {
    greet();
    say("250 ok\r\n");
    say("250 ok\r\n");
    say("354 go\r\n");
    network_.users.back()->on_drained();
    say("250 2.0.0 taken\r\n");
    say("221 bye\r\n");
    step();
  }
  // One message, while the best host is silent, and until the backup host has it.
  void send_one(SilentAt at) {
    queue::Delivery* delivery = add(1);
    const size_t before = network_.places.size();
    step();
    ASSERT_GT(network_.places.size(), before);
    if (network_.places.back() == kBest) {
      be_silent(at);
      if (at > SilentAt::kEhlo) {
        walk_.left[delivery] = 1;
        dispatcher_->add_first(delivery);  // as the walk does with what was not tried
        step();
      }
    }
    ASSERT_EQ(network_.places.back(), kBackup);
    take_mail();
    EXPECT_EQ(walk_.outcomes.back().kind, smtp::RecipientOutcome::Kind::kDelivered);
  }
};

// Each visit costs minutes. If the host were asked every minute, all mail would wait for it nearly always.
TEST_F(SlowHostTest, IsLeftAloneForAGrowingWhile) {
  for (const SilentAt at : {SilentAt::kGreeting, SilentAt::kEhlo, SilentAt::kMail, SilentAt::kDot}) {
    const long before = visits_to_best();
    const conf::Instant end = clock_.time + 3h;
    while (clock_.time < end) {
      send_one(at);
      if (HasFatalFailure()) return;
      clock_.time += 1min;
    }
    EXPECT_GE(visits_to_best() - before, 2) << static_cast<int>(at) << ": it is asked again";
    EXPECT_LE(visits_to_best() - before, 4) << static_cast<int>(at);
    clock_.time += 3h;
  }
}

TEST_F(SlowHostTest, OneConnectionGoesToSeeWhetherItIsWellWhileTheOthersWork) {
  send_one(SilentAt::kGreeting);
  clock_.time += 21min;
  const long before = visits_to_best();
  for (int i = 0; i < 5; ++i) add(1);
  step();
  EXPECT_EQ(visits_to_best() - before, 1);
  EXPECT_EQ(network_.places.back(), kBackup);
}

TEST_F(SlowHostTest, IsTheFirstChoiceAgainWhenItHasAnsweredMail) {
  for (const SilentAt at : {SilentAt::kGreeting, SilentAt::kMail}) {
    send_one(at);
    clock_.time += 21min;
    for (int i = 0; i < 3; ++i) {
      add(1);
      step();
      EXPECT_EQ(network_.places.back(), kBest) << i;
      take_mail();
      EXPECT_EQ(walk_.outcomes.back().kind, smtp::RecipientOutcome::Kind::kDelivered);
    }
  }
}

// Mail every quarter of an hour: the site is idle in between.
TEST_F(SlowHostTest, IsRememberedWhileNoMailIsThere) {
  send_one(SilentAt::kGreeting);
  for (int i = 0; i < 4096; ++i) sites_->sweep(clock_.time + 5min);
  EXPECT_NE(sites_->find(domains_.at(number_), config_->sources[0]), nullptr);
  for (int i = 0; i < 4096; ++i) sites_->sweep(clock_.time + 3h);
  EXPECT_EQ(sites_->find(domains_.at(number_), config_->sources[0]), nullptr);
}

}  // namespace
}  // namespace relay
