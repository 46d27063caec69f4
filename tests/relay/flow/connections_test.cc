#include "relay/flow/connections.h"

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class ConnectionsTest : public PathTest {
 protected:
  OutboundConnection* add() {
    return connections_.add(connection_to({"mx.test", "192.0.2.1", 25, 0, {}}), false).connection.get();
  }

  queue::SiteTable sites_{config_, nullptr, &clock_};
  mx::Lease lease_;
  PathGate gate_{{&sites_, &lease_, &clock_, [](queue::Path*) {},
                  [](const queue::Path&, const std::vector<mx::Decision>&) {}}};
  SharedLines lines_;
  Connections connections_{&flow_, &gate_, &lines_};
};

TEST_F(ConnectionsTest, APathCountsWhatIsOpenAndWhatIsOpening) {
  OutboundConnection* one = add();
  OutboundConnection* other = add();
  EXPECT_EQ(path_.connections.size(), 2U);
  EXPECT_EQ(path_.connections.opening(), 2U);
  connections_.is_ready(one);
  EXPECT_EQ(path_.connections.opening(), 1U);
  const Slot gone = connections_.take_out(other);
  EXPECT_EQ(path_.connections.size(), 1U);
  EXPECT_EQ(path_.connections.opening(), 0U);
  EXPECT_EQ(connections_.size(), 1U);
}

// On a busy path one opens before the other is ready, for hours.
TEST_F(ConnectionsTest, WhatIsOpeningIsSinceTheLastOneThatGotReady) {
  OutboundConnection* last = add();
  for (int i = 0; i < 10; ++i) {
    clock_.time += 1s;
    OutboundConnection* next = add();
    connections_.is_ready(last);
    last = next;
  }
  EXPECT_EQ(path_.connections.opening(), 1U);
  EXPECT_EQ(path_.connections.opening_since(), clock_.time);
  clock_.time += 5s;
  add();
  EXPECT_EQ(path_.connections.opening_since(), clock_.time - 5s);
}

TEST_F(ConnectionsTest, AnAnswerForAConnectionThatWentDoesNotReachTheOneAtItsPlace) {
  Slot& slot = connections_.add(connection_to({"mx.test", "192.0.2.1", 25, 0, {}}), false);
  OutboundConnection* connection = slot.connection.get();
  const uint64_t number = slot.number;
  EXPECT_EQ(connections_.find(connection, number), &slot);
  Slot gone = connections_.take_out(connection);
  connections_.add(std::move(gone.connection), false);  // another one at the same address
  EXPECT_EQ(connections_.find(connection, number), nullptr);
}

TEST_F(ConnectionsTest, TheRelayIsFullAtItsLimitForConnections) {
  config_->max_outbound_connections = 2;
  add();
  EXPECT_FALSE(connections_.full());
  add();
  EXPECT_TRUE(connections_.full());
  config_->max_outbound_connections = 100;
  EXPECT_FALSE(connections_.full());
  flow_.network_bears = 2;
  EXPECT_TRUE(connections_.full()) << "whatever the configuration says";
}

TEST_F(ConnectionsTest, NothingIsSentInAPause) {
  Slot& slot = connections_.add(connection_to({"mx.test", "192.0.2.1", 25, 0, {}}), false);
  flow_.paused = true;
  EXPECT_EQ(connections_.may_send(slot).bind, mx::Bind::kRecording);
}

TEST_F(ConnectionsTest, WhatMadeRoomIsNoLongerAwaitedWhenItIsGone) {
  const auto line = std::make_shared<SharedLine>(nullptr);
  OutboundConnection* connection = add();
  connections_.at(connection).room_of = line;
  line->leaving = 1;
  const Slot gone = connections_.take_out(connection);
  EXPECT_EQ(line->leaving, 0U);
}

TEST_F(ConnectionsTest, InFlightAreThoseWithADelivery) {
  queue::Delivery delivery;
  add();
  connections_.at(add()).job.delivery = &delivery;
  EXPECT_EQ(connections_.in_flight_by_path()[&path_], 1U);
}

}  // namespace
}  // namespace relay
