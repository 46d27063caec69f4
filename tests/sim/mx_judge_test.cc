// The judge says no: each kind of broken promise, made up.
#include "tests/sim/mx_judge.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Instant kBegin{conf::Duration(1'000'000)};

class MxJudge : public testing::Test {
 protected:
  MxJudge() {
    history.rules.resize(1);
    history.rules[0].name = "r";
    history.rules[0].versions.emplace_back(conf::Instant{}, DrawnLimits());
    history.rule_of = {{0, 0}, {0, 0}};  // two sites, two sources
  }
  DrawnLimits& limits() { return history.rules[0].versions[0].second; }
  void set_threshold() {
    DrawnThreshold threshold;
    threshold.min_messages = 10;
    threshold.window = 1h;
    threshold.probes = 3;
    limits().thresholds = {threshold};
  }
  void session(conf::Duration from, conf::Duration to, size_t site = 0, size_t source = 0,
               const std::string& address = "a") {
    history.sessions.push_back(
        {site, source, address, kBegin + from, kBegin + to, PeerWatch::End::kQuit, {}});
  }
  // Each over a connection of its own, answered at once.
  void mails(size_t count, conf::Duration at, conf::Duration apart, size_t site = 0, size_t source = 0,
             const std::string& address = "a") {
    for (size_t i = 0; i < count; ++i, at += apart) {
      session(at, at, site, source, address);
      history.sessions.back().mails.push_back(history.mails.size());
      history.mails.push_back({kBegin + at, history.sessions.size() - 1, "", kBegin + at});
    }
  }
  void decide(conf::DecisionAction action, conf::Duration at, conf::Duration until = {},
              const std::string& by = "operator", uint64_t messages = 0, uint64_t errors = 0) {
    auto what = std::make_shared<conf::SiteDecision>();
    what->action = action;
    what->by = by;
    what->messages = messages;
    what->errors = errors;
    history.decisions.push_back({kBegin + at, kBegin + until, 0, 0, std::move(what)});
  }
  void expect(const std::string& word) {
    const std::vector<std::string> violations = judge_limits(history);
    EXPECT_TRUE(std::ranges::any_of(violations,
                                    [&](const std::string& v) { return v.find(word) != std::string::npos; }))
        << word << ": " << violations.size() << (violations.empty() ? "" : violations[0]);
  }
  void expect_good() { EXPECT_TRUE(judge_limits(history).empty()) << judge_limits(history)[0]; }

  History history;
};

TEST_F(MxJudge, SlidingHour) {
  limits().messages_per_hour = 12;
  mails(12, 59min, 1s);
  mails(12, 59min + 1h, 1s);  // not within an hour of the others
  expect_good();
  mails(1, 2h, 0s);
  expect("messages_per_hour");
}

TEST_F(MxJudge, CountsByItsScope) {
  limits().messages_per_hour = 10;
  mails(10, 0s, 1s, 0, 0, "a");
  mails(10, 11s, 1s, 0, 0, "b");
  expect("messages_per_hour");  // both addresses together
  history.rules[0].scope = CountedBy::kPath;
  expect_good();
  mails(10, 30s, 1s, 0, 1, "a");
  expect_good();
  history.rules[0].scope = CountedBy::kPool;
  expect("messages_per_hour");
  history.rules[0].scope = CountedBy::kPath;
  mails(10, 60s, 1s, 1, 0, "a");
  expect_good();
  history.rules[0].one_site = true;
  expect("messages_per_hour");
}

TEST_F(MxJudge, Rate) {
  limits().rate = 6;
  mails(6, 0s, 10s);
  expect_good();
  mails(1, 59s, 0s);
  expect("rate");
}

TEST_F(MxJudge, AReloadMayLowerAQuota) {
  limits().messages_per_hour = 20;
  mails(15, 0s, 1s);
  DrawnLimits lower;
  lower.messages_per_hour = 12;
  history.rules[0].versions.emplace_back(kBegin + 1min, lower);
  expect_good();
  mails(1, 2min, 0s);
  expect("messages_per_hour");
}

TEST_F(MxJudge, LearnedRateAndLadder) {
  limits().adaptive_max = 5;
  mails(6, 0s, 1s);
  expect("adaptive_max");
  limits().adaptive_max = 0;
  limits().warmup = {5, 10};
  mails(6, 10s, 1s, 0, 1);
  expect_good();  // no source is new
  history.new_source = true;
  expect("ladder");
}

TEST_F(MxJudge, ConnectionsAtATime) {
  limits().max_connections = 2;
  session(0s, 10s);
  session(1s, 10s);
  session(9990ms, 20s);  // one of the first is about to be seen closed
  expect_good();
  session(5s, 20s);
  std::swap(history.sessions[2], history.sessions[3]);
  expect("connections at once");
}

TEST_F(MxJudge, MessagesOnAConnection) {
  limits().messages_per_connection = 1;
  mails(1, 0s, 0s);
  expect_good();
  history.sessions[0].mails.push_back(0);
  expect("over one connection");
}

TEST_F(MxJudge, ConnectionsWithoutAMessageHaveACause) {
  mails(10, 0s, 1s);
  mails(100, 0s, 1s, 1, 0, "b");  // at another host
  for (int i = 0; i < 30; ++i) session(i * 1s, i * 1s);
  expect_good();
  session(31s, 31s);
  expect("without a message");
  history.replies.push_back({kBegin + 31s, history.sessions.size() - 1, 421, 0});
  expect_good();
}

TEST_F(MxJudge, NothingDuringABlock) {
  set_threshold();
  decide(conf::DecisionAction::kBlock, 0s, 1h);
  mails(1, 50ms, 0s);  // on its way
  expect_good();
  mails(1, 30min, 0s);
  expect("during a block");
}

TEST_F(MxJudge, ABlockHoldsOverACrash) {
  set_threshold();
  decide(conf::DecisionAction::kBlock, 0s, 1h);
  history.crashes = {kBegin + 1s};
  mails(1, 10s, 0s);
  expect_good();  // it had not been saved
  history.crashes = {kBegin + 5s};
  expect("during a block");
}

TEST_F(MxJudge, AFewProbes) {
  set_threshold();
  decide(conf::DecisionAction::kBlock, 0s, 1h);
  mails(3, 1h, 1s);
  expect_good();
  history.crashes = {kBegin + 1h + 10s};
  mails(3, 1h + 20s, 1s);
  expect_good();
  mails(1, 1h + 40s, 0s);
  expect("4 probes, allowed 3");
}

TEST_F(MxJudge, ARampNotABurst) {
  set_threshold();
  decide(conf::DecisionAction::kBlock, 0s, 1h);
  decide(conf::DecisionAction::kRamp, 1h);
  mails(6, 1h + 1s, 1s);
  mails(12, 1h + 61s, 1s);
  expect_good();
  mails(1, 1h + 90s, 0s);
  expect("more than 12 messages in minute 2 of the ramp");
  history.decisions[1].at = kBegin + 50min;
  expect("before the block was over");
}

TEST_F(MxJudge, OneEarlyProbeForEachDoublingOfItsTime) {
  set_threshold();
  limits().thresholds[0].first_probe = 5min;
  decide(conf::DecisionAction::kBlock, 0s, 1h);
  mails(1, 5min, 0s);
  mails(1, 10min, 0s);
  expect_good();
  mails(1, 19min, 0s);
  expect("a message during a block");
  history.mails.back().at = kBegin + 20min;
  expect_good();
  history.mails.front().at = kBegin + 4min;
  expect("a message during a block");
}

TEST_F(MxJudge, ARampAfterAnEarlyProbeOnly) {
  set_threshold();
  limits().thresholds[0].first_probe = 5min;
  decide(conf::DecisionAction::kBlock, 0s, 1h);
  decide(conf::DecisionAction::kRamp, 6min);
  expect_good();
  history.decisions.back().at = kBegin + 4min;
  expect("before the block was over");
}

TEST_F(MxJudge, ErrorsMustHaveGoneOn) {
  set_threshold();
  limits().thresholds[0].min_duration = 5min;
  mails(12, 0s, 30s);
  for (size_t i = 0; i < 12; ++i) history.replies.push_back({history.mails[i].at, i, 550, 1});
  decide(conf::DecisionAction::kBlock, 330s, 1h, "threshold 1", 12, 12);
  expect_good();
  limits().thresholds[0].min_duration = 6min;
  expect("before the errors had gone on");
}

TEST_F(MxJudge, EvidenceMustHaveBeenSeen) {
  set_threshold();
  mails(12, 0s, 1s);
  for (size_t i = 0; i < 12; ++i) history.replies.push_back({history.mails[i].at, i, 550, 1});
  decide(conf::DecisionAction::kBlock, 20s, 1h, "threshold 1", 12, 12);
  expect_good();
  history.replies.back().code = 250;
  expect("receivers said only 11 of 12");
  history.replies.pop_back();
  expect("receivers said only 11 of 11");
}

TEST_F(MxJudge, NoBlockBelowTheThreshold) {
  set_threshold();
  mails(20, 0s, 1s);
  for (size_t i = 0; i < 20; ++i) history.replies.push_back({history.mails[i].at, i, 550, 1});
  decide(conf::DecisionAction::kBlock, 30s, 1h, "threshold 1", 20, 17);
  expect("below its threshold");
  decide(conf::DecisionAction::kBlock, 30s, 1h, "threshold 1", 9, 9);
  history.decisions.erase(history.decisions.begin());
  expect("below its threshold");
}

}  // namespace
}  // namespace sim
