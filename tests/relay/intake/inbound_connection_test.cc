// One accepted connection over a Transport that the test plays.
#include "relay/intake/inbound_connection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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
  Seen* seen;
};

struct NoOwner final : InboundConnection::Owner {
  void offer_returned(uint64_t, spool::MessageRecord, conf::Bytes) override {}
  conf::MessageId next_id() override { return 1; }
  MemoryShares* memory() override { return &shares; }
  uint32_t may_work() override { return 96; }
  void worked(uint32_t work) override { most_work = std::max(most_work, work); }
  uint32_t most_work = 0;
  void refused(conf::DoorEvent event) override { told.push_back(std::move(event)); }
  void offer(uint64_t, spool::MessageRecord record, conf::Bytes body) override {
    offered = record.size_bytes;
    content = body.view();
  }
  uint64_t offered = 0;  // octets
  std::string content;
  void withdraw(conf::MessageId id) override { withdrawn = id; }
  conf::MessageId withdrawn = 0;
  void authenticate(uint64_t, std::string, conf::Secret) override {}
  void connection_closed(uint64_t) override { closed = true; }
  bool closed = false;
  MemoryShares shares{{1'000'000, 500'000, 200'000}};
  std::vector<conf::DoorEvent> told;
};

struct Namer final : smtp::Gate {
  bool accepting(std::string*) const override { return true; }
  std::string message_id(conf::MessageId, const conf::Mailbox&) override {
    ++asked;
    return "a@relay.test";
  }
  int asked = 0;
};

class InboundConnectionTest : public testing::Test {
 protected:
  InboundConnectionTest() { open(); }
  void open() {
    connection.reset();
    auto config = std::make_shared<conf::Config>(smtp::test_config());
    config->listeners.front().add_missing_headers = gate != nullptr;
    smtp::ServerOptions options;
    options.config = config;
    options.gate = gate;
    options.listener = &config->listeners.front();
    options.client_address = client;
    connection = std::make_unique<InboundConnection>(1, std::move(options), std::make_unique<Wire>(&wire),
                                                     &clock, &owner);
    connection->start();
  }
  // Lets time go to the deadline that was asked for.
  void turn() {
    clock.time = wire.deadline;
    connection->on_deadline();
  }

  std::string client = "203.0.113.5";
  Still clock;
  Wire::Seen wire;
  NoOwner owner;
  Namer namer;  // asked when it is the gate
  smtp::Gate* gate = nullptr;
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

// The kernel takes most writes at once and says so in the same round: that is no turn.
TEST_F(InboundConnectionTest, AWriteThatIsTakenAtOnceGivesNoFurtherTurn) {
  std::string pipeline = "EHLO a\r\n";
  for (int i = 0; i < 2000; ++i) pipeline += "NOOP\r\n";
  connection->on_bytes(pipeline);
  wire.unsent.clear();
  connection->on_drained();
  EXPECT_EQ(wire.unsent, "");
  turn();
  EXPECT_NE(wire.unsent, "");
}

TEST_F(InboundConnectionTest, AClientThatNeverReadsEndsByTheTimeoutOfCommands) {
  std::string flood;
  while (flood.size() < 30'000) flood += "EHLO a\r\n";
  connection->on_bytes(flood);
  for (int turns = 0; turns < 100 && !owner.closed; ++turns) turn();
  EXPECT_TRUE(owner.closed);
}

TEST_F(InboundConnectionTest, RefusalsAreTold) {
  connection->on_bytes("EHLO a\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n");
  ASSERT_EQ(owner.told.size(), 1U);
  EXPECT_EQ(owner.told[0].reason, conf::DoorReason::kRelayingDenied);
  EXPECT_EQ(owner.told[0].client, "203.0.113.5");
  EXPECT_EQ(owner.told[0].detail, "b@example.net");
  connection->on_bytes("GET / HTTP/1.1\r\n");
  ASSERT_EQ(owner.told.size(), 2U);
  EXPECT_EQ(owner.told[1].reason, conf::DoorReason::kOtherProtocol) << "told although the connection ended";
}

// A client that may relay sends a message that is more than its share.
class InboundMessageTest : public InboundConnectionTest {
 protected:
  void begin(size_t recipients) {
    InboundConnectionTest::client = "192.0.2.7";
    open();
    connection->on_bytes("EHLO a\r\nMAIL FROM:<a@example.org>\r\n");
    for (size_t i = 0; i < recipients; ++i)
      connection->on_bytes("RCPT TO:<recipient" + std::to_string(i) + "@example.net>\r\n");
    wire.unsent.clear();
  }
  // The content of a message whose Message-ID, Date and From the listener adds where they are missing.
  void begin_unnamed() {
    gate = &namer;
    begin(1);
    connection->on_bytes("DATA\r\n");
  }
};

TEST_F(InboundMessageTest, ABodyAboveTheShareIsReadToItsEndAndAnsweredLater) {
  begin(1);
  connection->on_bytes("DATA\r\n");
  wire.unsent.clear();
  const std::string line = std::string(70, 'x') + "\r\n";
  std::string piece;
  while (piece.size() < 30'000) piece += line;
  for (int i = 0; i < 100; ++i) connection->on_bytes(piece);
  EXPECT_LE(owner.shares.used(), 500'000U);
  connection->on_bytes(".\r\n");
  EXPECT_EQ(wire.unsent.substr(0, 9), "452 4.3.1");
  EXPECT_EQ(owner.shares.used(), 0U);
  ASSERT_FALSE(owner.told.empty());
  EXPECT_EQ(owner.told.back().reason, conf::DoorReason::kShortOfMemory);
}

TEST_F(InboundMessageTest, AMessageThatIsNotStoredInTimeIsTakenBack) {
  begin(1);
  connection->on_bytes("DATA\r\n");
  connection->on_bytes("Subject: x\r\n\r\nx\r\n.\r\n");
  EXPECT_EQ(owner.withdrawn, 0U);
  wire.unsent.clear();
  turn();
  EXPECT_EQ(wire.unsent.substr(0, 9), "421 4.3.0");
  EXPECT_EQ(owner.withdrawn, 1U);
}

TEST_F(InboundMessageTest, RecipientListsCountAndAreGivenBack) {
  begin(1000);
  EXPECT_GT(owner.shares.used(), 100'000U);
  EXPECT_LE(owner.shares.used(), 500'000U);
  connection->on_bytes("RSET\r\n");
  EXPECT_EQ(owner.shares.used(), 0U);
}

TEST_F(InboundMessageTest, TheBodyOfTheBiggestGivesWay) {
  begin(1);
  connection->on_bytes("DATA\r\n");
  std::string piece;
  while (piece.size() < 30'000) piece += std::string(70, 'x') + "\r\n";
  for (int i = 0; i < 10; ++i) connection->on_bytes(piece);
  EXPECT_GT(owner.shares.used(), 300'000U);
  struct Other final : MemoryShares::Account {
    void give_way() noexcept override {}
    bool can_give_way() const override { return false; }
  } other;
  other.client = "198.51.100.1";
  other.stranger = false;
  owner.shares.set_bounds({400'000, 500'000, 200'000});
  EXPECT_TRUE(owner.shares.grow(&other, 100'000));
  owner.shares.shrink(&other, other.bytes);
  wire.unsent.clear();
  connection->on_bytes(".\r\n");
  EXPECT_EQ(wire.unsent.substr(0, 9), "452 4.3.1");
}

// What is kept free for its growth is little, however big it is: others may need it.
TEST_F(InboundMessageTest, ABigBodyHoldsLittleMoreThanItsOctets) {
  owner.shares.set_bounds({64'000'000, 64'000'000, 64'000'000});
  begin(1);
  connection->on_bytes("DATA\r\n");
  std::string piece;
  while (piece.size() < 60'000) piece += std::string(70, 'x') + "\r\n";
  size_t sent = 0;
  for (; sent < 12'000'000; sent += piece.size()) {
    connection->on_bytes(piece);
    ASSERT_GE(owner.shares.used(), sent + piece.size());
    ASSERT_LE(owner.shares.used(), sent + 1'300'000);
  }
  connection->on_bytes(".\r\n");
  EXPECT_GT(owner.offered, sent);  // with its trace
  EXPECT_EQ(owner.shares.used(), 0U);
}

// To put them before a whole body of many megabytes would move all of it.
TEST_F(InboundMessageTest, FieldsThatAreMissingAreAddedWhenTheHeaderEnds) {
  begin_unnamed();
  connection->on_bytes("Subject: x\r\n");
  EXPECT_EQ(namer.asked, 0);
  connection->on_bytes("\r\none\r\n");
  EXPECT_EQ(namer.asked, 1);
  connection->on_bytes("two\r\n.\r\n");
  EXPECT_EQ(namer.asked, 1);
  const size_t added = owner.content.find("\r\nMessage-ID: <a@relay.test>\r\n");
  ASSERT_NE(added, std::string::npos) << owner.content;
  EXPECT_EQ(owner.content.substr(owner.content.size() - 24), "Subject: x\r\n\r\none\r\ntwo\r\n");
  EXPECT_LT(owner.content.find("Received:"), added);
  EXPECT_EQ(owner.offered, owner.content.size());
}

TEST_F(InboundMessageTest, AMessageThatIsAHeaderOnlyGetsItsMissingFieldsAtItsEnd) {
  begin_unnamed();
  connection->on_bytes("Subject: x\r\n.\r\n");
  EXPECT_EQ(namer.asked, 1);
  EXPECT_NE(owner.content.find("\r\nMessage-ID: <a@relay.test>\r\n"), std::string::npos) << owner.content;
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
  EXPECT_EQ(owner.most_work, 96U);
  EXPECT_FALSE(wire.paused);
}

}  // namespace
}  // namespace relay
