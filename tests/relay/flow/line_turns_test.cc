// Two sites that are counted together (one_site): who of their mail goes next, over which connection.
#include "relay/flow/line_turns.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/queue/sender.h"
#include "tests/relay/flow/dispatcher_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class LineTurnsTest : public DispatcherTest {
 protected:
  LineTurnsTest() {
    limits_->one_site = true;
    limits_->scope = conf::RuleScope::kPool;
    path_->limits = limits_;
    const uint32_t number = domains_.intern(conf::Domain::from_canonical("e.test"));
    queue::DomainEntry& domain = domains_.at(number);
    domain.settings = conf::settings_in(config_, "e.test");
    domain.route = route_to("mx.e.test", "127.0.0.2");
    other_ = queue::PathChoice(sites_.get(), &random_).choose(&domain).path;
    other_->limits = limits_;
    other_->counters.standing = path_->counters.standing;
  }
  queue::Delivery* mail(queue::Path* path, const std::string& from) {
    queue::Delivery* delivery = deliveries_.add(++last_id_, number_, clock_.time);
    delivery->sender = queue::sender_of(conf::Mailbox::parse(from).value());
    walk_.left[delivery] = 1;
    dispatcher_->add(delivery, path);
    return delivery;
  }
  // The server takes the message that is being sent.
  void take() {
    say("250 ok\r\n");
    say("250 ok\r\n");
    say("354 go\r\n");
    network_.users.back()->on_drained();
    say("250 2.0.0 taken\r\n");
  }
  static bool is_sent(const queue::Delivery* delivery) {
    return delivery->state == queue::DeliveryState::kSending;
  }

  std::shared_ptr<mx::PathLimits> limits_ = std::make_shared<mx::PathLimits>();
  queue::Path* other_ = nullptr;
};

TEST_F(LineTurnsTest, AConnectionWithNothingToDoMakesRoomForAPathThatHasNone) {
  config_->max_outbound_connections = 1;
  mail(path_, "a@x.test");
  open();
  ASSERT_NE(path_->shared.line, nullptr);
  take();
  ASSERT_EQ(path_->connections.idle().size(), 1U) << network_.sent;
  mail(other_, "a@x.test");
  ASSERT_EQ(other_->shared.line, path_->shared.line);
  step();
  EXPECT_NE(network_.sent.find("QUIT\r\n"), std::string::npos) << network_.sent;
  say("221 bye\r\n");
  if (dispatcher_->connections() > 0) network_.users.back()->on_closed({conf::ErrorCode::kClosed, "closed"});
  step();
  EXPECT_EQ(network_.places, (std::vector<std::string>{"127.0.0.1", "127.0.0.2"}));
}

// Its path waits for memory, looks again in a while and not before, and holds up no other of its line.
TEST_F(LineTurnsTest, AMessageThatFindsNoRoomInMemoryWaitsAndAnotherPathGoesOn) {
  messages_.pin_to_send(999, queue::BodySize(900'000), [](const conf::Result<queue::Message*>&) {});
  queue::Delivery* big = mail(path_, "a@x.test");
  big->size = queue::BodySize(60'000);
  open();
  step();
  EXPECT_EQ(big->state, queue::DeliveryState::kReady);
  EXPECT_EQ(path_->connections.idle().size(), 1U);
  EXPECT_EQ(dispatcher_->next_message(path_).bind, mx::Bind::kMemory);
  EXPECT_GT(dispatcher_->next_wake(), clock_.time);
  EXPECT_LE(dispatcher_->next_wake(), clock_.time + 250ms);
  EXPECT_TRUE(dispatcher_->neglected().empty());
  const queue::Delivery* small = mail(other_, "a@x.test");
  step();
  greet();
  step();
  EXPECT_TRUE(is_sent(small));
  spool_.run_batch();  // there is no such message
  spool_.drain_completions();
  clock_.time += 250ms;
  step();
  EXPECT_TRUE(is_sent(big));
}

TEST_F(LineTurnsTest, ASenderWithMuchMailDoesNotKeepTheLineFromAnother) {
  config_->max_outbound_connections = 1;
  std::vector<queue::Delivery*> much;
  for (int i = 0; i < 5; ++i) much.push_back(mail(path_, "a@x.test"));
  queue::Delivery* little = mail(path_, "b@y.test");
  open();
  EXPECT_TRUE(is_sent(much[0]));
  EXPECT_FALSE(is_sent(little));
  take();
  step();
  EXPECT_TRUE(is_sent(little)) << "its turn is the second, though four came before it";
}

TEST_F(LineTurnsTest, AConnectionThatRestsAndSentAllItMayEndsAndAnotherIsOpened) {
  mail(path_, "a@x.test");
  open();
  take();
  ASSERT_EQ(path_->connections.idle().size(), 1U);
  limits_->max_messages_per_connection = 1;
  mail(path_, "a@x.test");
  step();
  EXPECT_NE(network_.sent.find("QUIT\r\n"), std::string::npos) << network_.sent;
  step();
  EXPECT_EQ(network_.users.size(), 2U) << "the mail goes over another";
}

TEST_F(LineTurnsTest, NothingGoesInAPauseAndTheLineGoesOnAfterIt) {
  dispatcher_->pause(true);
  mail(path_, "a@x.test");
  step();
  EXPECT_TRUE(network_.users.empty());
  dispatcher_->pause(false);
  step();
  EXPECT_EQ(network_.users.size(), 1U);
}

// A rate that two sites share, with seconds between two messages.
class SharedRateTest : public DispatcherTest {
 protected:
  SharedRateTest() {
    conf::MxRule rule = rule_for_test("shared");
    rule.fields.one_site = conf::RuleField<bool>::set(true);
    rule.fields.scope = conf::RuleField<conf::RuleScope>::set(conf::RuleScope::kPool);
    rule.fields.rate = conf::RuleField<conf::RuleRate>::set({20, 1min, 1});
    rules_ = mx::build_rules({rule});
    sites_->reload(config_, rules_.book);
    while (sites_->reload_some([](queue::Path*) {})) {
    }
    lease_.renewed(clock_.now() + 2h);
    const uint32_t first = number_;
    route_by({{"mx.d.test", 10, 25, {"127.0.0.1"}}});
    paths_[0] = path_;
    number_ = domains_.intern(conf::Domain::from_canonical("e.test"));
    domains_.at(number_).settings = conf::settings_in(config_, "e.test");
    route_by({{"mx.e.test", 10, 25, {"127.0.0.2"}}});
    paths_[1] = path_;
    while (sites_->is_gathering()) sites_->gather();
    number_ = first;
  }
  void mail(size_t path, int messages, const std::string& from) {
    for (int i = 0; i < messages; ++i) {
      queue::Delivery* delivery = deliveries_.add(++last_id_, number_, clock_.time);
      delivery->sender = queue::sender_of(conf::Mailbox::parse(from).value());
      walk_.left[delivery] = 1;
      waiting_.emplace_back(delivery, path == 0 ? "127.0.0.1" : "127.0.0.2");
      dispatcher_->add(delivery, paths_[path]);
    }
  }
  // The servers take what comes, at once.
  void run(conf::Duration time) {
    for (const conf::Instant end = clock_.time + time; clock_.time < end; clock_.time += 100ms) {
      step();
      for (; greeted_ < network_.users.size(); ++greeted_) {
        TransportUser* user = network_.users[greeted_];
        user->on_connected();
        user->on_bytes("220 mx.test\r\n");
        user->on_bytes("250 mx.test\r\n");
      }
      answer();
    }
  }
  size_t taken_at(const std::string& address) const {
    const auto found = taken_.find(address);
    return found == taken_.end() ? 0 : found->second;
  }

 private:
  // The transaction that is under way, if one is.
  void answer() {
    for (auto waiting = waiting_.begin(); waiting != waiting_.end(); ++waiting) {
      const auto& [delivery, address] = *waiting;
      if (walk_.left[delivery] > 0) continue;
      size_t user = network_.users.size();
      while (network_.places[--user] != address) {
      }
      TransportUser* peer = network_.users[user];
      for (const char* reply : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) peer->on_bytes(reply);
      peer->on_drained();
      peer->on_bytes("250 2.0.0 taken\r\n");
      ++taken_[address];
      waiting_.erase(waiting);
      return;
    }
  }

  mx::BuiltRules rules_;
  queue::Path* paths_[2] = {};
  std::vector<std::pair<queue::Delivery*, std::string>> waiting_;
  size_t greeted_ = 0;
  std::map<std::string, size_t> taken_;
};

TEST_F(SharedRateTest, ASiteWithoutAConnectionHasItsTurnBesideOneThatRests) {
  mail(0, 40, "a@x.test");
  run(10s);
  EXPECT_GE(taken_at("127.0.0.1"), 3U);
  mail(1, 40, "a@x.test");
  const size_t before = taken_at("127.0.0.1");
  run(60s);
  EXPECT_NEAR(static_cast<double>(taken_at("127.0.0.2")), 10, 2);
  EXPECT_NEAR(static_cast<double>(taken_at("127.0.0.1") - before), 10, 2);
}

}  // namespace
}  // namespace relay
