// What follows from a refusal, through the whole relay: the type decides, the schedule of the reason holds,
// and the acts of reply rules reach messages and paths.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bounce/reply_rule.h"
#include "tests/sim/mx_world.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

std::shared_ptr<const bounce::Qualifier> with_act(const std::string& act) {
  std::vector<conf::Problem> problems;
  std::vector<bounce::ReplyRule> local = bounce::parse_reply_rules(
      "[[reply]]\nname = \"own\"\ntext = [\"go away\"]\nreason = \"refused\"\ntype = \"soft\"\n"
      "scope = \"message\"\n" +
          act,
      "own.toml", &problems);
  EXPECT_TRUE(problems.empty());
  return bounce::Qualifier::make(std::move(local), bounce::shipped_reply_rules());
}

// One site with some addresses; sources "one" and "two", or the default one.
class Refusals {
 public:
  explicit Refusals(size_t addresses = 1, size_t sources = 1, const std::string& defaults = {},
                    const std::string& shipped = "off")
      : world(7) {
    world.validity = 120h;
    world.history.rules.emplace_back();
    world.history.rules.back().versions.emplace_back();
    world.history.rule_of = {std::vector<size_t>(sources, 0)};
    world.add_site(1, addresses);
    std::string text =
        "hostname = \"relay.test\"\n[mx]\nshipped_rules = \"" + shipped +
        "\"\n[dns]\nallow_private_targets = true\n"
        "[[listener]]\nname = \"main\"\naddress = \"127.0.0.1:25\"\n[defaults]\ntls = \"off\"\n" +
        defaults;
    for (size_t i = 0; i < sources && sources > 1; ++i)
      text += "[[source]]\nname = \"source" + std::to_string(i) + "\"\naddress = \"127.9.0." +
              std::to_string(i + 1) + "\"\n";
    world.start(text);
  }
  void refuse(const std::string& text) {
    world.peer(0).rules.refuse_hard = 1;
    world.peer(0).rules.hard_text = text;
  }
  void accept() { world.peer(0).rules.refuse_hard = 0; }
  void send(const std::string& from = "s@sender.test") { world.submit(from, {"u0@d0-0.test"}); }
  void run(conf::Duration length) { world.run_until(world.world.now() + length); }
  size_t attempts() const { return world.history.mails.size(); }
  std::vector<const conf::DeliveryEvent*> events(conf::EventKind kind) const {
    std::vector<const conf::DeliveryEvent*> all;
    for (const conf::DeliveryEvent& event : world.log.events) {
      if (event.kind == kind && event.recipient == "u0@d0-0.test") all.push_back(&event);
    }
    return all;
  }
  size_t count(conf::EventKind kind) const { return events(kind).size(); }

  MxWorld world;
};

TEST(Refusals, AHardOneEndsAtOnceAndIsReported) {
  Refusals r;
  r.refuse("550 5.1.1 no such user");
  r.send();
  r.run(10s);
  ASSERT_EQ(r.count(conf::EventKind::kFailed), 1U);
  const conf::DeliveryEvent& failed = *r.events(conf::EventKind::kFailed).front();
  EXPECT_EQ(failed.type, conf::ErrorType::kHard);
  EXPECT_EQ(failed.reason, conf::Reason::kUserUnknown);
  EXPECT_EQ(failed.scope, conf::Scope::kRecipient);
  EXPECT_EQ(failed.rule, "user-unknown");
  EXPECT_NE(failed.row, 0U);
  r.run(1min);
  EXPECT_EQ(r.world.ledger.reported.size(), 1U);
}

TEST(Refusals, AFullMailboxIsTriedDailyThoughItsCodeIs552) {
  Refusals r;
  r.refuse("552 5.2.2 mailbox full");
  r.send();
  r.run(23h);
  EXPECT_EQ(r.attempts(), 1U);
  r.run(49h);
  EXPECT_EQ(r.attempts(), 3U);
  EXPECT_EQ(r.count(conf::EventKind::kFailed), 0U);
  r.accept();
  r.run(28h);
  EXPECT_EQ(r.world.ledger.delivered.size(), 1U);
}

TEST(Refusals, AFullMailboxExpiresWithItsValidity) {
  Refusals r;
  r.refuse("552 5.2.2 mailbox full");
  r.send();
  r.run(120h);
  ASSERT_EQ(r.count(conf::EventKind::kExpired), 1U);
  EXPECT_EQ(r.events(conf::EventKind::kExpired).front()->reason, conf::Reason::kMailboxFull);
  EXPECT_GE(r.attempts(), 5U);
}

TEST(Refusals, A5yzThatNobodyKnowsIsTriedAgain) {
  Refusals r;
  r.refuse("550 qwertz");
  r.send();
  r.run(30s);
  EXPECT_EQ(r.count(conf::EventKind::kDeferred), 1U);
  r.accept();
  r.run(2h);
  EXPECT_EQ(r.world.ledger.delivered.size(), 1U);
}

TEST(Refusals, OrEndsWhenTheConfigurationSaysSo) {
  Refusals r;
  bounce::Unread unread;
  unread.fail_if_permanent = true;
  r.world.transit().use(bounce::Qualifier::make({}, bounce::shipped_reply_rules(), {}, unread));
  r.refuse("550 qwertz");
  r.send();
  r.run(30s);
  EXPECT_EQ(r.count(conf::EventKind::kFailed), 1U);
}

// 5, 10, 20 and 40 minutes, and then the schedule from its first step on.
TEST(Refusals, GreylistingTakesNoStepOfTheScheduleAndEachAttemptIsNumbered) {
  Refusals r;
  r.refuse("451 4.7.1 greylisted, come back");
  r.send();
  r.run(80min);
  EXPECT_EQ(r.attempts(), 5U);
  uint32_t attempt = 0;
  for (const conf::DeliveryEvent* event : r.events(conf::EventKind::kDeferred))
    EXPECT_EQ(event->attempt, ++attempt);
  r.run(5h + 30min);
  EXPECT_EQ(r.attempts(), 10U);  // five more, an hour apart
}

TEST(Refusals, TheReferenceIsItsScheduleAlone) {
  Refusals r(1, 1, "retry = \"reference\"\n");
  r.refuse("451 4.7.1 greylisted, come back");
  r.send();
  r.run(50min);
  EXPECT_EQ(r.attempts(), 1U);
}

TEST(Refusals, ManyThatNobodyKnowsAreAnAlarm) {
  Refusals r;
  r.refuse("450 qwertz");
  for (int i = 0; i < 150; ++i) r.send("");
  r.run(2min);
  const auto alarms = std::ranges::count_if(r.world.log.events, [](const conf::DeliveryEvent& event) {
    return event.kind == conf::EventKind::kAlarm && event.site == "mx0.test" &&
           event.reply.find("qwertz") != std::string::npos;
  });
  EXPECT_EQ(alarms, 1);
}

TEST(ReplyActs, FailEndsA4yzAndBlamesNobody) {
  Refusals r;
  r.world.transit().use(with_act("act = \"fail\"\n"));
  r.refuse("450 go away");
  r.send();
  r.run(30s);
  ASSERT_EQ(r.count(conf::EventKind::kFailed), 1U);
  EXPECT_EQ(r.events(conf::EventKind::kFailed).front()->type, conf::ErrorType::kSoft);
}

TEST(ReplyActs, DeferWaitsAsLongAsItSays) {
  Refusals r;
  r.world.transit().use(with_act("act = \"defer\"\nfor = \"6h\"\n"));
  r.refuse("550 go away");
  r.send();
  r.run(5h + 50min);
  EXPECT_EQ(r.attempts(), 1U);
  r.accept();
  r.run(20min);
  EXPECT_EQ(r.world.ledger.delivered.size(), 1U);
}

TEST(ReplyActs, HoldKeepsTheMailForTheOperator) {
  Refusals r;
  r.world.transit().use(with_act("act = \"hold\"\n"));
  r.refuse("550 go away");
  r.send();
  r.run(48h);
  EXPECT_EQ(r.attempts(), 1U);
  EXPECT_EQ(r.world.desk().summary().on_hold, 1U);
  r.accept();
  const conf::MessageId id = r.events(conf::EventKind::kDeferred).front()->id;
  EXPECT_TRUE(r.world.desk().apply(conf::QueueAction::kRelease, id, ""));
  r.run(1min);
  EXPECT_EQ(r.world.ledger.delivered.size(), 1U);
}

TEST(ReplyActs, PauseKeepsThePathStill) {
  Refusals r;
  r.world.transit().use(with_act("act = \"pause\"\nfor = \"30m\"\n"));
  r.refuse("450 go away");
  r.send();
  r.run(5s);
  r.accept();
  for (int i = 0; i < 5; ++i) r.send();
  r.run(29min);
  EXPECT_EQ(r.attempts(), 1U);
  r.run(2min);
  EXPECT_EQ(r.world.ledger.delivered.size(), 5U);
}

// The threshold is inherited: the decision names the file in which it stands, not that of the rule.
TEST(Refusals, ADecisionNamesTheFileOfAnInheritedThreshold) {
  Refusals r(1, 1, "[[rule]]\nname = \"own\"\nmx = [\"*\"]\ninherit = \"general\"\n", "built-in");
  r.refuse("550 5.7.1 go away");
  for (int i = 0; i < 300; ++i) r.send();
  r.run(20min);
  const auto block = std::ranges::find_if(r.world.log.events, [](const conf::DeliveryEvent& event) {
    return event.kind == conf::EventKind::kDecision && event.decision->action == conf::DecisionAction::kBlock;
  });
  ASSERT_NE(block, r.world.log.events.end());
  EXPECT_EQ(block->decision->rule, "own");
  EXPECT_EQ(block->decision->where.substr(0, 21), "rules.toml (shipped):") << block->decision->where;
}

TEST(ReplyActs, BlockBlocksAsAThresholdDoes) {
  Refusals r;
  r.world.transit().use(with_act("act = \"block\"\nfor = \"2h\"\n"));
  r.refuse("450 go away");
  r.send();
  r.run(5s);
  r.accept();
  for (int i = 0; i < 5; ++i) r.send();
  r.run(1h + 50min);
  EXPECT_EQ(r.attempts(), 1U);
  const auto blocks = std::ranges::count_if(r.world.log.events, [](const conf::DeliveryEvent& event) {
    return event.kind == conf::EventKind::kDecision &&
           event.decision->action == conf::DecisionAction::kBlock &&
           event.decision->by == "reply rule \"own\"";
  });
  EXPECT_EQ(blocks, 1);
  r.run(30min);
  EXPECT_EQ(r.world.ledger.delivered.size(), 6U);
}

TEST(ReplyActs, NextHostTriesTheOtherAddressAtOnce) {
  Refusals r(3);
  r.world.transit().use(with_act("act = \"next-host\"\n"));
  r.refuse("450 go away");
  r.send();
  r.run(1min);
  ASSERT_EQ(r.attempts(), 3U);  // each once, and then the schedule
  std::set<std::string> addresses;
  for (const SeenSession& session : r.world.history.sessions) addresses.insert(session.address);
  EXPECT_EQ(addresses.size(), 3U);
  EXPECT_EQ(r.events(conf::EventKind::kDeferred).back()->attempt, 3U);
  r.accept();
  r.run(2h);
  EXPECT_EQ(r.world.ledger.delivered.size(), 1U);
}

TEST(ReplyActs, SourceOffLetsTheOtherSourcesGoOn) {
  Refusals r(1, 2);
  r.world.transit().use(with_act("act = \"source-off\"\nfor = \"12h\"\n"));
  r.refuse("550 go away");
  r.send();
  r.run(5s);
  ASSERT_EQ(r.world.history.sessions.size(), 1U);
  const size_t off = r.world.history.sessions[0].source;
  r.accept();
  for (int i = 0; i < 40; ++i) r.send();
  r.run(20min);
  EXPECT_EQ(r.world.ledger.delivered.size(), 40U);
  for (size_t i = 1; i < r.world.history.sessions.size(); ++i)
    EXPECT_NE(r.world.history.sessions[i].source, off) << i;
}

// All sources are off: their mail waits for them and is not lost.
TEST(ReplyActs, WhenAllSourcesAreOffMailWaits) {
  Refusals r(1, 2);
  r.world.transit().use(with_act("act = \"source-off\"\nfor = \"3h\"\n"));
  r.refuse("550 go away");
  for (int i = 0; i < 20; ++i) r.send();
  r.run(1min);
  r.accept();
  r.run(2h);
  EXPECT_EQ(r.world.ledger.delivered.size(), 0U);
  r.run(3h);
  EXPECT_EQ(r.world.ledger.delivered.size(), 20U);
}

}  // namespace
}  // namespace sim
