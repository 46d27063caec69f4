#include "relay/flow/opener.h"

#include <deque>

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// Says yes to every target, and looks no further.
class Owner final : public OutboundConnection::Owner {
 public:
  bool may_hear(OutboundConnection*, size_t) override { return true; }
  void connection_ready(OutboundConnection*) override {}
  void transaction_done(OutboundConnection*, std::vector<smtp::RecipientOutcome>) override {}
  bool target_began(OutboundConnection*, const Target& target) override {
    targets.push_back(target);
    return true;
  }
  void target_failed(OutboundConnection*, const Target&) override {}
  void tls_failed(OutboundConnection*, const Target&, const std::string&) override {}
  void login_done(OutboundConnection*, const Target&, bool) override {}
  void connection_ended(OutboundConnection*) override {}
  std::vector<Target> targets;  // the first of each connection
};

class OpenerTest : public PathTest {
 protected:
  OpenerTest() {
    config_->max_outbound_connections = 100;
    config_->path_backoff_first = 10s;
    config_->path_backoff_max = 1h;
    config_->ready_limit = 5min;
    limits_->max_connections = 1000;
    limits_->min_connections = 1000;
    path_.limits = limits_;
    path_.counters.standing = std::make_shared<mx::Standing>(*limits_);
    opener_.begin_step();
  }
  ~OpenerTest() override {
    while (path_.ready.pop_front() != nullptr) {
    }
  }
  void mail(size_t count) {
    for (size_t i = 0; i < count; ++i) path_.ready.push_back(&deliveries_.emplace_back());
  }

  std::shared_ptr<mx::PathLimits> limits_ = std::make_shared<mx::PathLimits>();
  std::deque<queue::Delivery> deliveries_;
  queue::SiteTable sites_{config_, nullptr, &clock_};
  mx::Lease lease_;
  PathGate gate_{{&sites_, &lease_, &clock_, [](queue::Path*) {},
                  [](const queue::Path&, const std::vector<mx::Decision>&) {}}};
  SharedLines lines_;
  WorkList work_;
  Hosts hosts_{&random_};
  ServerTroubles troubles_{nullptr};
  Logins logins_{&flow_, &sites_, nullptr, &work_, &troubles_};
  BackOff back_off_{&flow_, &random_};
  Connections connections_{&flow_, &gate_, &lines_};
  PeerNetwork network_;
  Owner owner_;
  size_t failing_ = 0;
  Opener opener_{{&flow_, &network_, &owner_, &gate_, &hosts_, &logins_, &back_off_, &connections_, &work_,
                  [this](queue::Path*) { ++failing_; }}};
};

TEST_F(OpenerTest, OpensNoMoreThanThereIsMail) {
  mail(3);
  opener_.open_for(&path_, clock_.now());
  EXPECT_EQ(connections_.size(), 3U);
  opener_.open_for(&path_, clock_.now());
  EXPECT_EQ(connections_.size(), 3U);
}

TEST_F(OpenerTest, APathStarvesWhenTheRelayHasAllItsConnections) {
  config_->max_outbound_connections = 2;
  mail(3);
  opener_.open_for(&path_, clock_.now());
  EXPECT_EQ(connections_.size(), 2U);
  EXPECT_TRUE(path_.work.starves());
  EXPECT_EQ(path_.waits.bind(), mx::Bind::kTotal);
  EXPECT_FALSE(opener_.could_open(&path_, clock_.now()));
}

TEST_F(OpenerTest, AStepOpensSixtyFourAndTheNextGoesOn) {
  mail(80);
  opener_.open_for(&path_, clock_.now());
  EXPECT_EQ(connections_.size(), 64U);
  EXPECT_FALSE(opener_.may_go_on());
  EXPECT_EQ(work_.take(), &path_);
  opener_.begin_step();
  opener_.open_for(&path_, clock_.now());
  EXPECT_EQ(connections_.size(), 80U);
}

TEST_F(OpenerTest, APathThatFailsIsTriedByOneConnection) {
  path_.health.fail(10s, 0s, clock_.now());
  mail(3);
  opener_.open_for(&path_, clock_.now());
  EXPECT_EQ(connections_.size(), 1U);
}

// It sat idle with its mail while a connection rested at a host that was at its limit.
TEST_F(OpenerTest, AConnectionThatRestsIsNoTryOfAPathThatBroke) {
  path_.health.break_off({}, 0s, clock_.now());
  path_.health.break_off({}, 0s, clock_.now());
  mail(3);
  Slot& slot = connections_.add(connection_to({"", "192.0.2.1", 25, 0, {}}), false);
  connections_.is_ready(slot.connection.get());
  opener_.open_for(&path_, clock_.now());
  EXPECT_EQ(connections_.size(), 1U) << "it is being tried";
  path_.connections.rests(slot.connection.get());
  opener_.open_for(&path_, clock_.now());
  EXPECT_EQ(connections_.size(), 2U);
  path_.connections.rests_no_more(slot.connection.get());
}

TEST_F(OpenerTest, APathWithoutAnAddressBacksOffAndIsLookedAt) {
  path_.source.address = "2001:db8::1";
  mail(1);
  opener_.open_for(&path_, clock_.now());
  EXPECT_EQ(connections_.size(), 0U);
  EXPECT_TRUE(path_.health.failing());
  EXPECT_EQ(path_.waits.bind(), mx::Bind::kBackOff);
  EXPECT_EQ(failing_, 1U);
}

TEST_F(OpenerTest, ThePortOfSubmissionsBeginsWithTls) {
  settings_->peer.tls_start = conf::TlsStart::kByPort;
  route_by({{"smart.test", 10, 465, {"192.0.2.1"}}});
  mail(1);
  opener_.open_for(&path_, clock_.now());
  ASSERT_EQ(owner_.targets.size(), 1U);
  EXPECT_TRUE(owner_.targets[0].implicit_tls);
  EXPECT_TRUE(owner_.targets[0].left_out.has(smtp::Extension::kStartTls));
}

}  // namespace
}  // namespace relay
