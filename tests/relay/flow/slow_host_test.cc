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

// As where a receiver drops each connection beyond so many: those that stand go on, and their mail says that
// all is well.
TEST_F(SlowHostTest, OneThatIsSilentToAnotherConnectionKeepsThoseThatWork) {
  add(1);
  open();
  TransportUser* works = network_.users.back();
  const auto let_it_send = [&] {
    for (const char* each : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) works->on_bytes(each);
    works->on_drained();
    works->on_bytes("250 2.0.0 taken\r\n");
  };
  add(1);
  step();
  ASSERT_EQ(visits_to_best(), 2);
  clock_.time += 5min;
  network_.users.back()->on_deadline();  // no connection to the best host, and the backup host is begun with
  ASSERT_EQ(network_.places.back(), kBackup);
  network_.sent.clear();
  let_it_send();
  add(1);
  step();
  EXPECT_EQ(network_.sent.find("QUIT"), std::string::npos) << network_.sent;
  let_it_send();
  clock_.time += 61s;  // it failed lately no more
  add(1);
  add(1);
  step();
  EXPECT_EQ(network_.places.back(), kBest) << "it answered what was begun after its silence";
}

// Minutes of our own upload are no silence.
TEST_F(SlowHostTest, IsNotOneThatTakesMuchMailAndThenRefusesIt) {
  for (const bool says_why : {true, false}) {
    add(1);
    open();
    ASSERT_EQ(network_.places.back(), kBest);
    for (const char* each : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) say(each);
    for (int i = 0; i < 5; ++i) {
      clock_.time += 1min;
      network_.users.back()->on_drained();
    }
    if (says_why) {
      say("452 4.3.1 disk full\r\n");
      say("221 bye\r\n");
    } else {
      network_.users.back()->on_closed({conf::ErrorCode::kIo, "reset"});
    }
    EXPECT_TRUE(path_->site->slow_hosts.empty()) << says_why;
    clock_.time += 61s;
  }
}

TEST_F(SlowHostTest, IsOneThatRefusesTheMailAfterMinutesOfSilence) {
  add(1);
  open();
  for (const char* each : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) say(each);
  network_.users.back()->on_drained();
  clock_.time += 9min;
  say("451 4.3.0 not now\r\n");
  EXPECT_FALSE(path_->site->slow_hosts.empty());
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
