// One accepted connection over a Transport that the test plays.
#include "relay/intake/inbound_connection.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "relay/smtp/server_session.h"
#include "tests/relay/smtp/server_rig.h"

namespace relay {
namespace {

struct Still final : conf::Clock {
  conf::Instant now() const override { return time; }
  conf::WallTime wall() const override { return conf::WallTime{}; }
  conf::Instant time{};
};

// Keeps what is written as unsent until the test takes it.
struct Wire final : Transport {
  struct Seen {
    std::string unsent;
    bool paused = false;
    conf::Instant deadline = conf::kNever;
  };
  explicit Wire(Seen* s) : seen(s) {}
  void set_user(TransportUser*) override {}
  void write(OutQueue* out) override {
    seen->unsent += out->flatten();
    out->clear();
  }
  size_t unsent_bytes() const override { return seen->unsent.size(); }
  void start_tls(const TlsRequest&) override {}
  void pause_reading() override { seen->paused = true; }
  void resume_reading() override { seen->paused = false; }
  void set_deadline(conf::Instant when) override { seen->deadline = when; }
  void finish() override {}
  std::string local_address() const override { return ""; }
  Seen* seen;
};

struct NoOwner final : InboundConnection::Owner {
  conf::MessageId next_id() override { return 1; }
  bool reserve_memory(uint64_t) override { return true; }
  void return_memory(uint64_t) override {}
  void offer(uint64_t, spool::MessageRecord, conf::Bytes) override {}
  void authenticate(uint64_t, std::string, std::string) override {}
  void connection_closed(uint64_t) override { closed = true; }
  bool closed = false;
};

class InboundConnectionTest : public testing::Test {
 protected:
  InboundConnectionTest() {
    auto config = std::make_shared<const conf::Config>(smtp::test_config());
    smtp::ServerOptions options;
    options.config = config;
    options.listener = &config->listeners.front();
    options.client_address = "203.0.113.5";
    connection = std::make_unique<InboundConnection>(1, std::move(options), std::make_unique<Wire>(&wire),
                                                     &clock, &owner);
    connection->start();
  }
  // Lets time go to the deadline that was asked for.
  void turn() {
    clock.time = wire.deadline;
    connection->on_deadline();
  }

  Still clock;
  Wire::Seen wire;
  NoOwner owner;
  std::unique_ptr<InboundConnection> connection;
};

TEST_F(InboundConnectionTest, CommandsWaitWhileRepliesAreNotRead) {
  std::string flood;
  while (flood.size() < 30'000) flood += "EHLO a\r\n";
  for (int reads = 0; reads < 50 && !wire.paused; ++reads) connection->on_bytes(flood);
  EXPECT_TRUE(wire.paused);
  // Half-received input is worked on turn by turn, until too much is unread: then nothing until it is.
  for (int turns = 0; turns < 100 && wire.deadline < clock.time + conf::Duration(std::chrono::seconds(1));
       ++turns)
    turn();
  EXPECT_TRUE(wire.paused);
  EXPECT_GT(wire.unsent.size(), 64U * 1024);
  EXPECT_LT(wire.unsent.size(), 128U * 1024);
  const size_t before = wire.unsent.size();
  wire.unsent.clear();
  connection->on_drained();
  EXPECT_GT(wire.unsent.size(), 0U);
  EXPECT_LT(wire.unsent.size(), before);
}

TEST_F(InboundConnectionTest, AClientThatNeverReadsEndsByTheTimeoutOfCommands) {
  std::string flood;
  while (flood.size() < 30'000) flood += "EHLO a\r\n";
  connection->on_bytes(flood);
  for (int turns = 0; turns < 100 && !owner.closed; ++turns) turn();
  EXPECT_TRUE(owner.closed);
}

TEST_F(InboundConnectionTest, APipelineIsAnsweredWhole) {
  std::string pipeline = "EHLO a\r\n";
  for (int i = 0; i < 2000; ++i) pipeline += "NOOP\r\n";
  connection->on_bytes(pipeline);
  size_t replies = 0;
  for (int turns = 0; turns < 100; ++turns) {
    for (size_t at = wire.unsent.find("250 2.0.0 OK"); at != std::string::npos;
         at = wire.unsent.find("250 2.0.0 OK", at + 1))
      ++replies;
    wire.unsent.clear();
    if (replies == 2000) break;
    turn();
  }
  EXPECT_EQ(replies, 2000U);
  EXPECT_FALSE(wire.paused);
}

}  // namespace
}  // namespace relay
