#include "relay/flow/path_acts.h"

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using Kind = smtp::RecipientOutcome::Kind;

class PathActsTest : public PathTest {
 protected:
  PathActsTest() { path_.counters.standing = std::make_shared<mx::Standing>(*path_.limits); }
  static bounce::Qualification meaning(bounce::Act act, conf::Duration length) {
    bounce::Qualification meaning;
    meaning.act = act;
    meaning.act_for = length;
    meaning.rule = "busy";
    return meaning;
  }
  void obey(bounce::Act act, conf::Duration length) {
    acts_.obey(&path_, meaning(act, length), bounce::Reply::make(451, "later"), clock_.now());
  }

  queue::SiteTable sites_{config_, nullptr, &clock_};
  mx::Lease lease_;
  WorkList work_;
  std::vector<std::string> decided_;
  PathGate gate_{{&sites_, &lease_, &clock_, [](queue::Path*) {},
                  [this](const queue::Path&, const std::vector<mx::Decision>& decisions) {
                    for (const mx::Decision& decision : decisions) decided_.push_back(decision.text);
                  }}};
  Hosts hosts_{&random_};
  ScriptedWalk walk_;
  PathActs acts_{&sites_, &gate_, &hosts_, &work_, &walk_};
};

TEST_F(PathActsTest, APauseIsToldWhenItBeginsAndNotWhenItIsMadeLonger) {
  obey(bounce::Act::kPause, 10min);
  clock_.time += 5min;
  obey(bounce::Act::kPause, 10min);
  EXPECT_EQ(path_.holds.paused_until(), clock_.now() + 10min);
  ASSERT_EQ(decided_.size(), 1U);
  EXPECT_NE(decided_[0].find("reply rule \"busy\": no new message"), std::string::npos) << decided_[0];
  EXPECT_EQ(work_.take(), &path_);
}

TEST_F(PathActsTest, AShorterPauseDoesNotEndALongerOne) {
  obey(bounce::Act::kPause, 10min);
  obey(bounce::Act::kPause, 1min);
  EXPECT_EQ(path_.holds.paused_until(), clock_.now() + 10min);
}

TEST_F(PathActsTest, ThePathKnowsWhichRuleHoldsItLongest) {
  obey(bounce::Act::kPause, 10min);
  EXPECT_EQ(path_.holds.paused_by(), "paused by reply rule \"busy\"");
  obey(bounce::Act::kSourceOff, 1min);
  EXPECT_EQ(path_.holds.paused_by(), "paused by reply rule \"busy\"");
  obey(bounce::Act::kSourceOff, 1h);
  EXPECT_EQ(path_.holds.paused_by(), "the source is left out here by reply rule \"busy\"");
}

TEST_F(PathActsTest, ABlockByARuleBlocksThePath) {
  obey(bounce::Act::kBlock, 1h);
  EXPECT_EQ(path_.counters.standing->state(), mx::Standing::State::kBlocked);
  EXPECT_EQ(decided_.size(), 1U);
}

TEST_F(PathActsTest, ASourceThatIsLeftOutIsToldOnce) {
  obey(bounce::Act::kSourceOff, 1h);
  obey(bounce::Act::kSourceOff, 1h);
  EXPECT_TRUE(queue::SiteTable::is_off(site_, "one", clock_.now()));
  EXPECT_FALSE(queue::SiteTable::is_off(site_, "another", clock_.now()));
  EXPECT_EQ(decided_.size(), 1U);
}

TEST_F(PathActsTest, TheNextHostIsForTheRefusedRecipientsWhenThereIsOne) {
  const auto connection = connection_to({"mx.test", "192.0.2.1", 25, 0, {}});
  std::vector<smtp::RecipientOutcome> outcomes(2);
  outcomes[0].kind = Kind::kRefused;
  outcomes[0].meaning = meaning(bounce::Act::kNextHost, 1min);
  outcomes[1].kind = Kind::kDelivered;
  acts_.obey(*connection, &outcomes, clock_.now());
  EXPECT_FALSE(outcomes[0].next_host) << "it is the only one";
  EXPECT_TRUE(site_.is_left("192.0.2.1", clock_.now()));
  route_by({{"mx.test", 10, 25, {"192.0.2.1", "192.0.2.2"}}});
  acts_.obey(*connection, &outcomes, clock_.now());
  EXPECT_TRUE(outcomes[0].next_host);
  EXPECT_FALSE(outcomes[1].next_host);
}

TEST_F(PathActsTest, WhatWeRefusedOurselvesSaysNothingOfThePath) {
  const auto connection = connection_to({"mx.test", "192.0.2.1", 25, 0, {}});
  std::vector<smtp::RecipientOutcome> outcomes(1);
  outcomes[0].kind = Kind::kRefused;
  outcomes[0].local = true;
  outcomes[0].meaning = meaning(bounce::Act::kPause, 1h);
  acts_.obey(*connection, &outcomes, clock_.now());
  EXPECT_EQ(path_.holds.paused_until(), conf::Instant{});
}

}  // namespace
}  // namespace relay
