// Rules are edited at random moments - renamed, split, counted otherwise, raised, lowered, and back - while
// mail flows, receivers refuse, and the relay ends and crashes. No limit is broken and no block is shortened.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/sim/edits_judge.h"
#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"
#include "tests/sim/seeds.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr size_t kSites = 3;

class EditsScenario {
 public:
  explicit EditsScenario(uint64_t seed);
  void run();

  MxWorld world;
  EditHistory told;
  uint64_t edits = 0, undone = 0, downs = 0;

 private:
  conf::Random& random() { return world.world.random; }
  conf::Instant now() { return world.world.now(); }
  std::string configuration() const;
  Rules edited();
  void edit(Rules rules);
  void refuse();
  void hand_in();
  void turn();

  size_t sources_;
  ConfigDraw draw_;
  std::vector<Rules> before_;  // to go back to
  uint64_t messages_ = 0, names_ = 0;
};

EditsScenario::EditsScenario(uint64_t seed) : world(seed), sources_(1 + random().below(3)) {
  for (size_t site = 0; site < kSites; ++site) world.add_site(2, 1 + random().below(2));
  draw_.sources = sources_;
  draw_.validity = world.validity = 24h;
  WrittenRule rule;
  rule.name = "all";
  told.rules.emplace_back(conf::Instant{}, Rules{rule});
}

std::string EditsScenario::configuration() const {
  constexpr const char* kScopes[] = {"path", "source", "pool"};
  std::string text = write_configuration(draw_, {});
  for (const WrittenRule& rule : told.rules.back().second) {
    const std::string site = rule.site < 0 ? "?" : std::to_string(rule.site);
    text += "[[rule]]\nname = \"" + rule.name + "\"\nmx = [\"mx" + site + ".test\"]\n";
    if (rule.one_domain) text += "domains = [\"d" + site + "-0.test\"]\n";
    text += std::string("scope = \"") + kScopes[static_cast<size_t>(rule.scope)] +
            "\"\none_site = " + (rule.one_site ? "true" : "false") +
            "\nmax_connections = " + std::to_string(rule.max_connections) +
            "\nmessages_per_hour = " + std::to_string(rule.per_hour) + "\nrate = \"" +
            std::to_string(rule.per_minute) + "/min\"\nburst = " + std::to_string(rule.burst) +
            "\n[[rule.threshold]]\nerror_rate = 0.8\nmin_messages = 10\nwindow = \"30m\"\nblock = \"20m\"\n"
            "max_block = \"40m\"\nprobes = 3\n";
  }
  return text;
}

Rules EditsScenario::edited() {
  Rules rules = told.rules.back().second;
  WrittenRule& rule = rules[random().below(rules.size())];
  switch (random().below(7)) {
    case 0:
      rule.name = "rule" + std::to_string(++names_);
      break;
    case 1: {  // a new rule above
      if (rules.size() > 3) rules.erase(rules.begin());
      WrittenRule fresh = rules.back();
      fresh.name = "part" + std::to_string(++names_);
      fresh.site = static_cast<int>(random().below(kSites));
      fresh.one_domain = random().chance(0.5);
      // Rules with a mask on the domain rank above the others.
      const auto place =
          fresh.one_domain ? rules.begin() : std::ranges::find(rules, false, &WrittenRule::one_domain);
      rules.insert(place, fresh);
      break;
    }
    case 2:
      if (rules.size() > 1) rules.erase(rules.begin());
      break;
    case 3:
      rule.scope = static_cast<CountedBy>(random().below(3));
      break;
    case 4:
      rule.one_site = !rule.one_site;
      break;
    case 5:
      rule.per_hour = 30 + static_cast<uint32_t>(random().below(120));
      rule.max_connections = 1 + static_cast<uint32_t>(random().below(6));
      break;
    default:
      rule.per_minute = 4 + static_cast<uint32_t>(random().below(20));
      rule.burst = 1 + static_cast<uint32_t>(random().below(4));
      break;
  }
  return rules;
}

void EditsScenario::edit(Rules rules) {
  before_.push_back(told.rules.back().second);
  told.rules.emplace_back(now(), std::move(rules));
  world.reload(configuration());
  ++edits;
}

void EditsScenario::refuse() {
  Peer& peer = world.peer(random().below(kSites));
  peer.rules.refuse_hard = peer.rules.refuse_hard > 0 ? 0 : 1;
}

void EditsScenario::hand_in() {
  const uint64_t count = random().below(60);
  for (uint64_t i = 0; i < count; ++i) {
    const size_t site = random().below(kSites), domain = random().below(2);
    world.submit(sender_to(site, domain, messages_++),
                 {"u0@d" + std::to_string(site) + '-' + std::to_string(domain) + ".test"});
  }
}

void EditsScenario::turn() {
  const double what = random().unit();
  if (what < 0.5) {
    edit(edited());
  } else if (what < 0.75 && !before_.empty()) {
    edit(Rules(before_.back()));
    ++undone;
  } else if (what < 0.85) {
    refuse();
  } else if (what < 0.95) {
    const conf::Duration down = world.world.between(100ms, 1min);
    if (random().chance(0.5)) {
      world.crash(down);
    } else {
      world.restart(down);
    }
    if (random().chance(0.3)) edit(edited());  // while it is down
    ++downs;
    world.run_until(now() + down + 1ms);
  }
}

void EditsScenario::run() {
  world.start(configuration());
  for (int i = 0; i < 40; ++i) {
    hand_in();
    turn();
    world.run_until(now() +
                    (random().chance(0.5) ? world.world.between(1ms, 20s) : world.world.between(20s, 10min)));
  }
  world.collect();
  for (std::string& violation : judge_edits(world.history, told)) world.ledger.violate(std::move(violation));
}

TEST(EditsSimulation, NoEditBreaksALimitOrShortensABlock) {
  uint64_t edits = 0, undone = 0, downs = 0, mails = 0, blocks = 0;
  const std::vector<uint64_t> seeds = seeds_to_play("edits", 60);
  for (const uint64_t seed : seeds) {
    EditsScenario scenario(seed);
    scenario.run();
    EXPECT_TRUE(scenario.world.ledger.violations.empty())
        << "seed " << seed << ": " << scenario.world.ledger.violations[0];
    if (testing::Test::HasFailure()) return;
    edits += scenario.edits;
    undone += scenario.undone;
    downs += scenario.downs;
    mails += scenario.world.history.mails.size();
    for (const SeenDecision& decision : scenario.world.history.decisions)
      blocks += decision.what->action == conf::DecisionAction::kBlock ? 1 : 0;
  }
  std::printf("%llu edits, %llu of them undo others, %llu ends; %llu messages, %llu blocks\n",
              static_cast<unsigned long long>(edits), static_cast<unsigned long long>(undone),  // NOLINT
              static_cast<unsigned long long>(downs), static_cast<unsigned long long>(mails),   // NOLINT
              static_cast<unsigned long long>(blocks));                                         // NOLINT
  if (seeds.size() >= 10) {
    EXPECT_GT(edits, 20 * seeds.size());
    EXPECT_GT(undone, 5 * seeds.size());
    EXPECT_GT(downs, seeds.size());
    EXPECT_GT(mails, 200 * seeds.size());
    EXPECT_GT(blocks, seeds.size() / 2);
  }
}

class EditsJudgeTest : public testing::Test {
 protected:
  EditsJudgeTest() {
    WrittenRule rule;
    rule.name = "all";
    rule.per_hour = 10;
    rule.per_minute = 100;
    told.rules.emplace_back(conf::Instant{}, Rules{rule});
  }
  void mails(size_t count, conf::Duration at, size_t site = 0, size_t source = 0) {
    for (size_t i = 0; i < count; ++i, at += 1s) {
      const conf::Instant when = conf::Instant{} + at;
      seen.sessions.push_back({site, source, "a", when, when, PeerWatch::End::kQuit, {}});
      seen.mails.push_back({when, seen.sessions.size() - 1, sender_to(site, 0, i), when});
    }
  }
  void edit(conf::Duration at, const std::function<void(WrittenRule*)>& change) {
    told.rules.emplace_back(conf::Instant{} + at, told.rules.back().second);
    change(&told.rules.back().second[0]);
  }
  size_t violations() { return judge_edits(seen, told).size(); }

  History seen;
  EditHistory told;
};

TEST_F(EditsJudgeTest, SaysNoToWhatARenamedRuleForgets) {
  mails(10, 10s);
  edit(1min, [](WrittenRule* rule) { rule->name = "new"; });
  EXPECT_EQ(violations(), 0U);
  mails(1, 2min);
  EXPECT_EQ(violations(), 1U);
}

TEST_F(EditsJudgeTest, BelievesWhatWasSentBetweenTwoEditsButNotLonger) {
  mails(10, 10s);
  edit(1min, [](WrittenRule* rule) { rule->per_hour = 100; });
  edit(1min + 300ms, [](WrittenRule* rule) { rule->per_hour = 10; });
  mails(1, 1min + 200ms);
  mails(1, 1min + 310ms);
  EXPECT_EQ(violations(), 0U);
  mails(1, 1min + 1400ms);
  EXPECT_EQ(violations(), 1U);
}

TEST_F(EditsJudgeTest, SaysNoToWhatAPoolForgets) {
  mails(6, 10s, 0, 0);
  mails(6, 20s, 0, 1);
  EXPECT_EQ(violations(), 0U);
  edit(1min, [](WrittenRule* rule) { rule->scope = CountedBy::kPool; });
  mails(1, 2min);
  EXPECT_EQ(violations(), 1U);
}

TEST_F(EditsJudgeTest, SaysNoToABlockThatIsForgotten) {
  auto what = std::make_shared<conf::SiteDecision>();
  what->action = conf::DecisionAction::kBlock;
  what->rule = "all";
  seen.decisions.push_back({conf::Instant{} + 5s, conf::Instant{} + 1h, 0, 0, what});
  edit(1min, [](WrittenRule* rule) { rule->name = "new"; });
  mails(1, 2min, 1);
  EXPECT_EQ(violations(), 0U);
  mails(1, 3min);
  EXPECT_EQ(violations(), 1U);
}

}  // namespace
}  // namespace sim
