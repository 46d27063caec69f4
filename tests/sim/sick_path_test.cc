// A receiver that says for ten minutes that it takes no mail for now: no verdict on our mail, so nothing is
// blocked; the path is tried once a minute, and its mail goes when the receiver is well.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr int kOutageMessages = 300;

// One site under a rule that blocks for three hours at 90 % errors.
class SickWorld {
 public:
  SickWorld() : world(91) {
    DrawnThreshold threshold;
    threshold.min_messages = 20;
    threshold.window = 1h;
    threshold.block = threshold.max_block = 3h;
    DrawnRule rule;
    rule.name = "all";
    rule.mx = "mx?.test";
    rule.versions.emplace_back(conf::Instant{}, DrawnLimits());
    rule.versions[0].second.thresholds = {threshold};
    world.history.rules = {rule};
    world.history.rule_of = {{0}};
    world.add_site(1, 1);
    ConfigDraw draw;
    draw.validity = world.validity = 24h;
    world.start(write_configuration(draw, world.history.rules));
  }
  // Thirty messages a minute, all the time.
  void play_outage() {
    for (int i = 0; i < kOutageMessages; ++i)
      world.world.after(i * 2s, [this] { world.submit("s@sender.test", {"u0@d0-0.test"}); });
    down = world.world.now();
    world.run_until(down + 10min);
    up = world.world.now();
  }
  // After the first half minute.
  conf::Duration longest_gap() const {
    conf::Duration longest{0};
    conf::Instant last = down + 30s;
    for (const SeenSession& session : world.history.sessions) {
      longest = std::max<conf::Duration>(longest, session.opened - last);
      last = std::max(last, session.opened);
    }
    return std::max<conf::Duration>(longest, up - last);
  }
  size_t blocks() {
    world.collect();
    return static_cast<size_t>(std::ranges::count_if(world.history.decisions, [](const SeenDecision& each) {
      return each.what->action == conf::DecisionAction::kBlock;
    }));
  }

  MxWorld world;
  conf::Instant down{}, up{};
};

void expect_wait(double PeerRules::*sick, std::string PeerRules::*says, const std::string& text) {
  SickWorld one;
  PeerRules& rules = one.world.peer(0).rules;
  rules.*says = text;
  rules.*sick = 1;
  one.play_outage();
  EXPECT_EQ(one.blocks(), 0U) << text;
  EXPECT_LE(one.longest_gap(), 61s) << text;
  EXPECT_LE(one.world.history.mails.size(), 40U) << text;
  rules.*sick = 0;
  one.world.run_until(one.up + 65s);
  EXPECT_GE(one.world.ledger.delivered.size(), kOutageMessages * 8U / 10) << text;
  one.world.run_until(one.up + 12h, [&] { return one.world.settled(); });
  EXPECT_EQ(one.world.ledger.delivered.size(), 0U + kOutageMessages) << text;
}

TEST(SickPath, AHostThatGoesDownOrItsSystemInTroubleIsWaitedForAndNotBlocked) {
  expect_wait(&PeerRules::refuse_mail, &PeerRules::mail_text,
              "421 4.3.2 Service shutting down, try again later");
  expect_wait(&PeerRules::refuse_mail, &PeerRules::mail_text, "451 4.3.0 Temporary server error");
  expect_wait(&PeerRules::refuse_mail, &PeerRules::mail_text, "451 4.3.2 System not accepting messages");
  expect_wait(&PeerRules::refuse_soft, &PeerRules::soft_text, "451 4.3.0 Temporary server error");
}

// A verdict on the messages still blocks.
TEST(SickPath, RefusalsOfMessagesEnterTheSample) {
  SickWorld one;
  one.world.peer(0).rules.refuse_soft = 1;
  one.world.peer(0).rules.soft_text = "451 4.7.1 this message looks like spam";
  one.play_outage();
  EXPECT_EQ(one.blocks(), 1U);
}

// One message that their system cannot take is no outage.
TEST(SickPath, SingleTroubleBetweenMessagesThatAreTakenDelaysNoOther) {
  SickWorld one;
  one.world.peer(0).rules.refuse_soft = 0.1;
  one.world.peer(0).rules.soft_text = "451 4.3.0 Temporary server error";
  one.play_outage();
  EXPECT_GE(one.world.ledger.delivered.size(), kOutageMessages * 8U / 10);
}

// Refused connections are tried once a minute, whatever the words.
TEST(SickPath, AGreetingOf421IsTriedOnceAMinute) {
  SickWorld one;
  one.world.peer(0).rules.busy = 1;
  one.world.peer(0).rules.busy_text = "421 4.3.2 down";
  one.play_outage();
  EXPECT_LE(one.longest_gap(), 61s);
  EXPECT_LE(one.world.history.sessions.size(), 40U);
}

}  // namespace
}  // namespace sim
