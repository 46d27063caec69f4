// What does not fit into the memory for bodies waits, and goes when there is room and its turn has come.
#include "relay/flow/body_turns.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/relay/flow/dispatcher_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using queue::BodyRoom;
using queue::BodyShare;

constexpr uint64_t kBudget = 1'000'000;

// The walk of these tests reads bodies as the real one does: what it takes is counted from its errand to its
// report.
class ReadingWalk final : public DispatcherUser {
 public:
  explicit ReadingWalk(queue::MessageCache* messages) : messages_(messages) {}
  Answer next_errand(queue::Delivery* delivery, const queue::Path&, const ErrandTerms&, Errand* errand,
                     Later) override {
    began.push_back(delivery->id);
    const uint64_t bytes = messages_->to_read(*delivery);
    if (bytes > 0) taken_[delivery] = messages_->room().take(messages_->room().share_of(bytes), bytes);
    delivery->move_to(queue::DeliveryState::kSending);
    *errand = ScriptedWalk::an_errand();
    return Answer::kNow;
  }
  void reroute(queue::Path*) override {}
  void waits_long(queue::Delivery*, const queue::PathError&, const AttemptFacts&) override {}
  bool report(queue::Delivery* delivery, Report) override {
    taken_.erase(delivery);
    return false;
  }
  conf::Instant expiry(const queue::Delivery&, const conf::DestinationSettings&) override {
    return conf::Instant{} + 1000h;
  }
  std::vector<conf::MessageId> began;

 private:
  queue::MessageCache* messages_;
  std::map<queue::Delivery*, BodyRoom::Lease> taken_;
};

class BodyTurnsTest : public DispatcherTest {
 protected:
  BodyTurnsTest() : reading_(&messages_) {
    config_->defaults.max_connections = 1;
    dispatcher_->abandon();
    dispatcher_ = std::make_unique<Dispatcher>(
        Dispatcher::Parts{config_,
                          &messages_,
                          sites_.get(),
                          &lease_,
                          &network_,
                          &clock_,
                          &random_,
                          &reading_,
                          nullptr,
                          [](const queue::Path&, const std::vector<mx::Decision>&) {},
                          {},
                          {},
                          {}});
    path_ = path_to("d.test", "127.0.0.1");
  }
  ~BodyTurnsTest() override { dispatcher_->abandon(); }  // the walk of the tests goes first
  queue::Path* path_to(const std::string& name, const std::string& address) {
    queue::DomainEntry& domain = domains_.at(domains_.intern(conf::Domain::from_canonical(name)));
    domain.settings = conf::settings_in(config_, name);
    domain.route = route_to("mx." + name, address);
    return queue::PathChoice(sites_.get(), &random_).choose(&domain).path;
  }
  queue::Delivery* mail(queue::Path* path, uint64_t size, uint32_t sender = 0) {
    queue::Delivery* delivery = deliveries_.add(++last_id_, number_, clock_.time);
    delivery->body_size = queue::BodySize::of(size);
    delivery->sender = sender;
    dispatcher_->add(delivery, path);
    return delivery;
  }
  // The bodies of others, which go now.
  BodyRoom::Lease others(uint64_t bytes) { return messages_.room().take(BodyShare::kBig, bytes); }
  // One round, as the loop makes them: until nothing is to be done at once.
  void round() {
    int rounds = 0;
    do {
      step();
    } while (dispatcher_->next_wake() <= clock_.time && ++rounds < 20);
    EXPECT_LT(rounds, 20) << "it turns without end";
  }

  // The connection that was opened as this one of all, from 0 on.
  void greet(size_t number) {
    TransportUser* user = network_.users.at(number);
    user->on_connected();
    user->on_bytes("220 mx.test\r\n");
    user->on_bytes("250 mx.test\r\n");
  }
  void take_message(size_t number) {
    TransportUser* user = network_.users.at(number);
    for (const char* reply : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) user->on_bytes(reply);
    user->on_drained();
    user->on_bytes("250 2.0.0 taken\r\n");
  }
  using Ids = std::vector<conf::MessageId>;

  ReadingWalk reading_;
};

TEST_F(BodyTurnsTest, TheFirstWaitsOverAConnectionAndGoesWhenThereIsRoom) {
  BodyRoom::Lease slow = others(800'000);
  mail(path_, 200'000);
  round();
  EXPECT_EQ(dispatcher_->connections(), 1U);
  EXPECT_EQ(path_->waits.bind(), mx::Bind::kBodyMemory);
  greet(0);
  round();
  EXPECT_EQ(dispatcher_->next_message(path_).bind, mx::Bind::kBodyMemory);
  EXPECT_TRUE(reading_.began.empty());
  EXPECT_EQ(path_->connections.idle().size(), 1U) << "it ends when it rested long enough, like any";
  EXPECT_GT(dispatcher_->next_wake(), clock_.time) << "nothing is done before there is room";
  slow.give_back();
  EXPECT_LE(dispatcher_->next_wake(), clock_.time);
  round();
  EXPECT_EQ(reading_.began, Ids{1});
  EXPECT_EQ(dispatcher_->connections(), 1U);
  EXPECT_FALSE(path_->waits.for_bodies());
}

TEST_F(BodyTurnsTest, OnlyTheFirstFewOpenAConnectionBeforeThereIsRoom) {
  BodyRoom::Lease slow = others(800'000);
  for (int i = 0; i < 40; ++i) {
    const std::string number = std::to_string(i);
    mail(path_to("f" + number + ".test", "127.0.1." + number), 200'000);
  }
  round();
  EXPECT_EQ(dispatcher_->connections(), 16U);
  slow.give_back();
  round();
  EXPECT_EQ(dispatcher_->connections(), 16U) << "they are the first";
}

TEST_F(BodyTurnsTest, AConnectionThatWaitedAndLeftComesAgainWhenThereIsRoom) {
  BodyRoom::Lease slow = others(800'000);
  mail(path_, 200'000);
  round();
  greet(0);
  round();
  clock_.time += 1h;
  network_.users[0]->on_deadline();  // it rested long enough
  network_.users[0]->on_bytes("221 bye\r\n");
  round();
  EXPECT_EQ(network_.users.size(), 1U);
  slow.give_back();
  round();
  ASSERT_EQ(network_.users.size(), 2U);
  greet(1);
  EXPECT_EQ(reading_.began, Ids{1});
}

TEST_F(BodyTurnsTest, ASmallOneOfAnotherSenderGoesPastABigOne) {
  const BodyRoom::Lease slow = others(800'000);
  mail(path_, 200'000, 1);
  mail(path_, 10'000, 1);
  mail(path_, 10'000, 2);
  open();
  EXPECT_EQ(reading_.began, Ids{3});
}

TEST_F(BodyTurnsTest, WhatIsInMemoryGoesPastAllThatWait) {
  const BodyRoom::Lease slow = others(900'000);
  mail(path_, 200'000, 1);
  queue::Delivery* here = mail(path_, 50'000, 2);
  queue::Message message({}, queue::HeldBody(conf::Bytes("x"), {}));
  here->message = &message;
  open();
  EXPECT_EQ(reading_.began, Ids{2});
}

// A slow big one in memory and a big one that waits for it: what both leave free is used, and no more.
TEST_F(BodyTurnsTest, OthersPassTheFirstWhereTheyDoNotMakeItWaitLonger) {
  config_->defaults.max_connections = 9;
  queue::Path* other = path_to("e.test", "127.0.0.2");
  BodyRoom::Lease slow = others(600'000);
  mail(path_, 450'000);
  round();
  greet(0);
  round();
  for (uint32_t i = 0; i < 9; ++i) mail(other, 120'000, i);
  round();
  for (size_t i = 1; i < network_.users.size(); ++i) greet(i);
  round();
  EXPECT_EQ(reading_.began.size(), 2U) << "275,000 are free";
  slow.give_back();
  round();
  ASSERT_EQ(reading_.began.size(), 3U);
  EXPECT_EQ(reading_.began[2], 1U) << "it goes at once";
  ASSERT_EQ(network_.users.size(), 4U);
  greet(3);
  EXPECT_EQ(reading_.began.size(), 4U) << "the rest is used";
}

TEST_F(BodyTurnsTest, WhatPassesLeavesTheRoomOfTheFirst) {
  config_->defaults.max_connections = 9;
  queue::Path* other = path_to("e.test", "127.0.0.2");
  BodyRoom::Lease slow = others(300'000);
  mail(path_, 700'000);
  round();
  greet(0);
  round();
  for (uint32_t i = 0; i < 9; ++i) mail(other, 90'000, i);
  round();
  for (size_t i = 1; i < network_.users.size(); ++i) greet(i);
  round();
  EXPECT_EQ(reading_.began, Ids{2}) << "575,000 are free, and beside 700,000 there is room for one";
  slow.give_back();
  round();
  EXPECT_EQ(reading_.began, (Ids{2, 1}));
}

TEST_F(BodyTurnsTest, ASlowGreetingKeepsItsPlaceAndNobodyBack) {
  queue::Path* other = path_to("e.test", "127.0.0.2");
  BodyRoom::Lease slow = others(600'000);
  mail(path_, 500'000);
  mail(other, 500'000);
  round();
  ASSERT_EQ(network_.users.size(), 2U);
  slow.give_back();
  round();
  greet(1);
  EXPECT_EQ(reading_.began, Ids{2}) << "the first has no connection yet";
  mail(other, 500'000);
  clock_.time += 4min;
  greet(0);
  round();
  EXPECT_EQ(reading_.began, Ids{2});
  take_message(1);
  round();
  EXPECT_EQ(reading_.began, (Ids{2, 1})) << "it stands before the next one of the other";
}

TEST_F(BodyTurnsTest, AReceiverThatFailsIsNoMoreTheFirst) {
  queue::Path* other = path_to("e.test", "127.0.0.2");
  BodyRoom::Lease slow = others(600'000);
  mail(path_, 500'000);
  round();
  greet(0);
  round();
  mail(other, 500'000);
  round();
  greet(1);
  round();
  network_.users[0]->on_closed({conf::ErrorCode::kClosed, "gone"});
  round();
  slow.give_back();
  round();
  ASSERT_EQ(network_.users.size(), 3U) << "it has a turn, and a connection is opened for it";
  EXPECT_TRUE(reading_.began.empty());
  network_.users[2]->on_closed({conf::ErrorCode::kClosed, "refused"});
  round();
  EXPECT_EQ(reading_.began, Ids{2});
}

// The only connection of the first is busy with mail that went past it.
TEST_F(BodyTurnsTest, WhoMissesItsTurnLetsTheOthersGoAndSendsNothingPastItAnyMore) {
  queue::Path* other = path_to("e.test", "127.0.0.2");
  BodyRoom::Lease slow = others(600'000);
  mail(path_, 450'000, 1);
  mail(path_, 90'000, 2);
  mail(path_, 90'000, 3);
  mail(other, 450'000);
  round();
  ASSERT_EQ(network_.users.size(), 2U);
  greet(0);
  greet(1);
  round();
  EXPECT_EQ(reading_.began, Ids{2});
  slow.give_back();
  round();
  EXPECT_EQ(reading_.began, (Ids{2, 4})) << "nothing waits for a connection that is busy";
  take_message(0);
  round();
  EXPECT_EQ(reading_.began, (Ids{2, 4})) << "there is room for the third, and it does not go";
  take_message(1);
  round();
  EXPECT_EQ(reading_.began, (Ids{2, 4, 1}));
  take_message(0);
  round();
  EXPECT_EQ(reading_.began, (Ids{2, 4, 1, 3}));
}

TEST_F(BodyTurnsTest, BodiesThatNobodyUsesAreGivenBack) {
  conf::MessageId id = 100;
  spool::MessageRecord record;
  record.recipients.resize(1);
  for (int i = 0; i < 7; ++i) {
    record.id = ++id;
    ASSERT_NE(messages_.insert(record, conf::Bytes(std::string(100'000, 'x')), 1), nullptr);
  }
  queue::Message* used = messages_.pin_now(101);
  const conf::Bytes sent = used->body.bytes();
  mail(path_, 500'000);
  round();
  greet(0);
  round();
  EXPECT_EQ(reading_.began, Ids{1});
  EXPECT_TRUE(used->body.has_value());
}

TEST_F(BodyTurnsTest, NothingMoreIsKeptWhileOthersWait) {
  BodyRoom::Lease slow = others(800'000);
  mail(path_, 200'000);
  round();
  EXPECT_FALSE(messages_.room().keep(10'000).has_value());
  slow.give_back();
  round();
  greet(0);
  EXPECT_TRUE(messages_.room().keep(10'000).has_value());
}

TEST_F(BodyTurnsTest, OneThatIsBiggerThanAllGoesAlone) {
  queue::Path* other = path_to("e.test", "127.0.0.2");
  BodyRoom::Lease slow = others(300'000);
  mail(path_, 3 * kBudget);
  round();
  greet(0);
  mail(other, 100'000);
  round();
  greet(1);
  round();
  EXPECT_TRUE(reading_.began.empty()) << "nothing goes past it";
  slow.give_back();
  round();
  EXPECT_EQ(reading_.began, Ids{1});
}

TEST_F(BodyTurnsTest, AnotherBudgetIsLookedAtAtOnce) {
  const BodyRoom::Lease slow = others(800'000);
  mail(path_, 200'000);
  round();
  greet(0);
  round();
  messages_.set_budget(2 * kBudget);
  EXPECT_LE(dispatcher_->next_wake(), clock_.time);
  round();
  EXPECT_EQ(reading_.began, Ids{1});
}

TEST_F(BodyTurnsTest, MailThatIsTakenAwayLeavesTheLine) {
  queue::Path* other = path_to("e.test", "127.0.0.2");
  BodyRoom::Lease slow = others(600'000);
  queue::Delivery* gone = mail(path_, 800'000);
  round();
  greet(0);
  mail(other, 100'000);
  round();
  greet(1);
  round();
  ASSERT_TRUE(reading_.began.empty()) << "beside 800,000 there is no room for it";
  dispatcher_->remove(gone);
  round();
  EXPECT_FALSE(path_->waits.for_bodies());
  EXPECT_EQ(reading_.began, Ids{2});
}

TEST_F(BodyTurnsTest, OpensNoMoreThanThereIsRoomFor) {
  config_->defaults.max_connections = 20;
  path_ = path_to("f.test", "127.0.0.3");
  for (int i = 0; i < 20; ++i) mail(path_, 200'000);
  round();
  EXPECT_EQ(path_->connections.size(), 4U) << "seven eighths of the budget";
}

}  // namespace
}  // namespace relay
