#include "relay/desk/decision_notices.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class StillClock final : public conf::Clock {
 public:
  conf::Instant now() const override { return now_; }
  conf::WallTime wall() const override { return {}; }
  conf::Instant now_{};
};

class DecisionNoticesTest : public testing::Test {
 protected:
  void decide(conf::DecisionAction action, const std::string& by, bool ordered = false) {
    auto decision = std::make_shared<conf::SiteDecision>();
    decision->action = action;
    decision->by = by;
    decision->ordered = ordered;
    decision->site = "mx.example.net";
    decision->source = "tx";
    decision->rule = "general";
    decision->messages = 312;
    decision->errors = 290;
    decision->samples = {"550 no\nforged"};
    conf::DeliveryEvent event;
    event.kind = conf::EventKind::kDecision;
    event.decision = decision;
    notices_.take(++sequence_, event);
  }

  StillClock clock_;
  std::vector<std::string> said_;
  DecisionNotices notices_{&clock_, [this](const std::string& line) { said_.push_back(line); }};
  uint64_t sequence_ = 0;
};

TEST_F(DecisionNoticesTest, ABlockAndItsEndAreSaidAndOrdersAreNot) {
  decide(conf::DecisionAction::kBlock, "threshold 1");
  decide(conf::DecisionAction::kProbe, "threshold 1");
  decide(conf::DecisionAction::kOpen, "threshold 1");
  decide(conf::DecisionAction::kBlock, "operator anna", true);
  EXPECT_EQ(said_,
            (std::vector<std::string>{
                "blocked: mx.example.net from tx (rule general, threshold 1): 290 of 312 messages were "
                "errors; see penstock mx status",
                "open again: mx.example.net from tx (rule general, threshold 1)"}));
  EXPECT_EQ(notices_.through(), 4U);
}

TEST_F(DecisionNoticesTest, ManyAreSaidOnceAMinuteByTheirNumber) {
  for (int i = 0; i < 100; ++i) decide(conf::DecisionAction::kBlock, "threshold 1");
  EXPECT_EQ(said_.size(), DecisionNotices::kMost);
  clock_.now_ += 1min;
  decide(conf::DecisionAction::kBlock, "threshold 1");
  ASSERT_EQ(said_.size(), DecisionNotices::kMost + 2);
  EXPECT_EQ(said_[DecisionNotices::kMost], "and 80 more sites were blocked or opened");
}

}  // namespace
}  // namespace relay
