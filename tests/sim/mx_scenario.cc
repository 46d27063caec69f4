#include "tests/sim/mx_scenario.h"

#include <algorithm>

#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kDay = 20h;      // in which everything but the deliveries happens
constexpr conf::Duration kAtTheEnd = 2h;  // after the last validity is over, the queue is empty by then

class MxScenario {
 public:
  explicit MxScenario(uint64_t seed) : world_(seed) {}
  MxVerdict run();

 private:
  void build();
  void misbehave(size_t site);
  void refuse(Peer* peer);
  void hand_in();
  void trouble();
  MxVerdict verdict();
  conf::Random& random() { return world_.world.random; }
  void at_random(std::function<void()> work) {
    world_.world.after(world_.world.between(1s, kDay), std::move(work));
  }

  MxWorld world_;
  ConfigDraw draw_;
  std::vector<size_t> domains_;  // of each site
  uint64_t restarts_ = 0, reloads_ = 0;
};

void MxScenario::build() {
  const size_t sites = 1 + random().below(4);
  for (size_t i = 0; i < sites; ++i) {
    domains_.push_back(1 + random().below(6));
    world_.add_site(domains_.back(), 1 + random().below(3));
    misbehave(i);
  }
  draw_.sources = 1 + random().below(3);
  draw_.new_source = world_.history.new_source = random().chance(0.3);
  draw_.validity = world_.validity = 1h * static_cast<int64_t>(4 + random().below(30));
  draw_.max_outbound_connections = random().chance(0.2) ? 3 : 100;
  draw_.max_recipients = 1 + static_cast<uint32_t>(random().below(4));
  world_.history.most_recipients = draw_.max_recipients;
  draw_rules(&random(), sites, draw_.sources, &world_.history);
  world_.network.refuse = random().chance(0.3) ? 0.2 * random().unit() : 0;
  world_.network.stall = random().chance(0.2) ? 0.1 * random().unit() : 0;
  world_.network.breaks = random().chance(0.3) ? 0.2 * random().unit() : 0;
  world_.names.trouble = random().chance(0.3) ? 0.2 * random().unit() : 0;
}

// Good, bad, good: some phases of refusals.
void MxScenario::misbehave(size_t site) {
  Peer* peer = &world_.peer(site);
  peer->rules.pipelining = random().chance(0.8);
  peer->rules.chunking = random().chance(0.3);
  if (random().chance(0.3)) {
    peer->rules.slow = world_.world.between(10ms, 20s);
    world_.history.most_slow = std::max(world_.history.most_slow, peer->rules.slow);
  }
  const PeerRules good = peer->rules;
  const uint64_t phases = random().below(4);
  for (uint64_t i = 0; i < phases; ++i) {
    at_random([this, peer, good] {
      refuse(peer);
      world_.world.after(world_.world.between(5min, 4h), [peer, good] { peer->rules = good; });
    });
  }
}

void MxScenario::refuse(Peer* peer) {
  constexpr const char* kSoft[] = {"450 4.2.1 not now", "450 4.7.1 poor reputation of your address",
                                   "451 4.7.0 rate limit exceeded, slow down", "452 4.2.2 mailbox full"};
  constexpr const char* kHard[] = {"550 5.1.1 no such user", "554 5.7.1 blocked for spam, poor reputation"};
  PeerRules& rules = peer->rules;
  const double share = random().chance(0.6) ? 0.9 + 0.1 * random().unit() : random().unit();
  rules.soft_text = kSoft[random().below(4)];
  rules.hard_text = kHard[random().below(2)];
  switch (random().below(6)) {
    case 0:
      rules.refuse_hard = share;
      break;
    case 1:
      rules.busy = share;
      rules.busy_text = random().chance(0.5) ? "554 5.7.1 no service for your address" : "421 4.3.2 too busy";
      break;
    case 2:
      rules.refuse_mail = share;
      if (random().chance(0.5)) rules.mail_text = "450 4.7.1 try later, poor reputation";
      break;
    case 3:
      rules.refuse_dot = share;
      break;
    default:
      rules.refuse_soft = share;
      break;
  }
}

// Floods of many senders to many domains, and single messages.
void MxScenario::hand_in() {
  const uint64_t floods = 1 + random().below(8);
  for (uint64_t flood = 0; flood < floods; ++flood) {
    at_random([this] {
      const size_t site = random().below(domains_.size());
      const uint64_t senders = 1 + random().below(4), messages = 1 + random().below(70);
      for (uint64_t i = 0; i < messages; ++i) {
        const std::string domain =
            "@d" + std::to_string(site) + '-' + std::to_string(random().below(domains_[site])) + ".test";
        const std::string from =
            random().chance(0.05) ? "" : "s" + std::to_string(random().below(senders)) + "@sender.test";
        std::vector<std::string> recipients = {"u0" + domain};
        while (random().chance(0.1)) recipients.push_back("u" + std::to_string(recipients.size()) + domain);
        world_.submit(from, recipients);
      }
    });
  }
}

void MxScenario::trouble() {
  const uint64_t ends = random().below(4);
  for (uint64_t i = 0; i < ends; ++i) {
    at_random([this, crash = random().chance(0.6)] {
      const conf::Duration down = world_.world.between(200ms, 2min);
      if (crash) return world_.crash(down);
      ++restarts_;
      world_.restart(down);
    });
  }
  const uint64_t reloads = random().below(3);
  for (uint64_t i = 0; i < reloads; ++i) {
    at_random([this] {
      ++reloads_;
      draw_anew(&random(), world_.world.now(), &world_.history);
      world_.reload(write_configuration(draw_, world_.history.rules));
    });
  }
}

MxVerdict MxScenario::run() {
  build();
  world_.start(write_configuration(draw_, world_.history.rules));
  hand_in();
  trouble();
  const conf::Instant day = world_.world.now() + kDay;
  world_.run_until(day + 1min);
  world_.run_until(day + draw_.validity + kAtTheEnd, [this] { return world_.settled(); });
  world_.judge();
  return verdict();
}

MxVerdict MxScenario::verdict() {
  MxVerdict verdict;
  verdict.violations = world_.ledger.violations;
  verdict.promised = world_.ledger.promised.size();
  verdict.delivered = world_.ledger.delivered.size();
  verdict.reported = world_.ledger.reported.size();
  verdict.mails = world_.history.mails.size();
  for (const SeenDecision& decision : world_.history.decisions) {
    const conf::DecisionAction action = decision.what->action;
    verdict.blocks += action == conf::DecisionAction::kBlock ? 1 : 0;
    verdict.probes_failed += action == conf::DecisionAction::kBlock && decision.what->by == "probes" ? 1 : 0;
    verdict.ramps += action == conf::DecisionAction::kRamp ? 1 : 0;
    verdict.adapted +=
        action == conf::DecisionAction::kAdapt || action == conf::DecisionAction::kWarmUp ? 1 : 0;
    verdict.slowed += action == conf::DecisionAction::kSlow ? 1 : 0;
  }
  verdict.crashes = world_.history.crashes.size();
  verdict.restarts = restarts_;
  verdict.reloads = reloads_;
  verdict.history = world_.history_hash();
  return verdict;
}

}  // namespace

MxVerdict run_mx_scenario(uint64_t seed) { return MxScenario(seed).run(); }

}  // namespace sim
