#include "relay/flow/path_connections.h"

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class SilenceTest : public PathTest {
 protected:
  void is_silent(const std::unique_ptr<OutboundConnection>& connection, conf::Duration since) {
    all_.is_silent({connection.get(), bounce::Stage::kRcpt, begin_ + since});
  }
  conf::Duration told_since() const { return all_.silence()->since - begin_; }

  const conf::Instant begin_ = clock_.now();
  std::unique_ptr<OutboundConnection> one_ = connection_to({"", "192.0.2.1", 25, 0, {}});
  std::unique_ptr<OutboundConnection> other_ = connection_to({"", "192.0.2.1", 25, 0, {}});
  queue::PathConnections all_;
};

TEST_F(SilenceTest, TheLongestIsTold) {
  EXPECT_EQ(all_.silence(), nullptr);
  is_silent(one_, 5s);
  is_silent(other_, 3s);
  is_silent(one_, 5s);
  EXPECT_EQ(told_since(), 3s);
}

// It answered one command after a while, and is silent to the next.
TEST_F(SilenceTest, OfOneConnectionTheLatestCounts) {
  is_silent(one_, 0s);
  is_silent(one_, 15s);
  EXPECT_EQ(told_since(), 15s);
}

TEST_F(SilenceTest, WhatBeganBeforeAnotherReplyIsNoSilenceOfTheReceiver) {
  is_silent(one_, 0s);
  all_.answers(other_.get(), begin_ + 10s);
  EXPECT_EQ(all_.silence(), nullptr);
  is_silent(other_, 11s);
  is_silent(one_, 0s);
  EXPECT_EQ(told_since(), 11s);
}

}  // namespace
}  // namespace relay
