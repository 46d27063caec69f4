// Mail that waits is looked at again: it follows the MX records of its domain, and it goes from another
// source when its own may not send. Histories drawn from seeds, through the whole relay.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "relay/admin/mx_order.h"
#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// Sites under a rule each, "mx?.test" or one of its own, from so many sources.
class MovesWorld {
 public:
  MovesWorld(uint64_t seed, size_t sites, size_t sources, DrawnLimits limits) : world(seed) {
    DrawnRule rule;
    rule.name = "all";
    rule.mx = "mx?.test";
    rule.versions.emplace_back(conf::Instant{}, std::move(limits));
    world.history.rules = {rule};
    world.history.rule_of.assign(sites, std::vector<size_t>(sources, 0));
    for (size_t i = 0; i < sites; ++i) world.add_site(4, 1);
    draw.sources = sources;
    draw.validity = world.validity = 24h;
  }
  void start() { world.start(write_configuration(draw, world.history.rules)); }
  // The sender tells the domain: "s2@shop.test" writes to the domain 2 of the site.
  void submit(size_t count, size_t site = 0) {
    for (size_t i = 0; i < count; ++i) {
      const std::string number = std::to_string(i % 4);
      world.submit("s" + number + "@shop.test", {"u0@d" + std::to_string(site) + '-' + number + ".test"});
    }
  }
  void run(conf::Duration length) { world.run_until(world.world.now() + length); }
  void order(relay::admin::MxAction action, const std::string& source) {
    relay::admin::MxOrder order;
    order.action = action;
    order.site = "mx0.test";
    order.source = source;
    EXPECT_GE(world.order(order).paths, 1U);
  }
  // MAILs from `from` on, at the site, from the source, of the sender.
  struct Which {
    conf::Instant from{};
    size_t site = SIZE_MAX, source = SIZE_MAX;
    std::string sender;
  };
  size_t mails(const Which& which) const {
    return static_cast<size_t>(std::ranges::count_if(world.history.mails, [&](const SeenMail& mail) {
      const SeenSession& session = world.history.sessions[mail.session];
      return mail.at >= which.from && (which.site == SIZE_MAX || session.site == which.site) &&
             (which.source == SIZE_MAX || session.source == which.source) &&
             (which.sender.empty() || which.sender == mail.from);
    }));
  }
  void expect_no_violation() {
    for (const std::string& violation : world.ledger.violations) ADD_FAILURE() << violation;
  }

  MxWorld world;
  ConfigDraw draw;
};

using relay::admin::MxAction;

DrawnLimits wide() {
  DrawnLimits limits;
  limits.min_connections = limits.max_connections = 20;
  return limits;
}

// Two of four domains move to other hosts while their mail waits behind a rate, a block, or a host that does
// not answer: within the TTL and a minute all of it goes to the new hosts, and none of the others' does.
TEST(MxMoves, QueuedMailFollowsTheRecordsWithinTheTtlAndAMinute) {
  enum class Kind { kRate, kBlock, kDead };
  for (uint64_t seed = 1; seed <= 9; ++seed) {
    const auto kind = static_cast<Kind>(seed % 3);
    DrawnLimits limits = wide();
    if (kind == Kind::kRate) limits.rate = 20, limits.burst = 1;
    MovesWorld moves(seed, 2, 1 + seed % 2, limits);
    MxWorld& world = moves.world;
    world.names.ttl = std::vector<conf::Duration>{1s, 20s, 1min, 5min}[seed % 4];
    moves.start();
    moves.submit(40);  // from every source
    moves.run(2min);
    if (kind == Kind::kBlock) moves.order(MxAction::kBlock, "");
    if (kind == Kind::kDead) world.peer(0).rules.busy = 1;
    if (kind == Kind::kDead) world.peer(0).rules.busy_text = "554 5.3.2 gone";
    moves.submit(400);
    moves.run(world.world.between(10s, 3min));
    for (const char* domain : {"d0-0.test", "d0-1.test"}) world.names.move_mx(domain, "mx1.test");
    const conf::Instant moved = world.world.now();
    const conf::Instant by = moved + world.names.ttl + 1min;
    world.run_until(by + 15min);
    for (const std::string sender : {"s0@shop.test", "s1@shop.test"}) {
      EXPECT_EQ(moves.mails({by, 0, SIZE_MAX, sender}), 0U) << seed;
      EXPECT_GT(moves.mails({moved, 1, SIZE_MAX, sender}), 20U) << seed;
    }
    for (const std::string sender : {"s2@shop.test", "s3@shop.test"})
      EXPECT_EQ(moves.mails({moved, 1, SIZE_MAX, sender}), 0U) << seed;
    if (kind != Kind::kRate) {
      EXPECT_EQ(moves.mails({moved, 1}), 200U) << seed;
    }
    moves.expect_no_violation();
  }
}

// That no name server answers is no reason to leave, and costs the mail nothing.
TEST(MxMoves, MailStaysWhereItWasWhileNoNameServerAnswers) {
  MovesWorld moves(5, 2, 1, wide());
  MxWorld& world = moves.world;
  world.names.ttl = 5s;
  moves.start();
  moves.submit(4);
  moves.run(10s);
  moves.order(MxAction::kBlock, "");
  moves.submit(100);
  moves.run(1min);
  world.names.trouble = 1;
  moves.run(30min);
  EXPECT_EQ(world.desk().summary().ready, 100U);
  moves.order(MxAction::kUnblock, "");
  moves.run(1min);
  EXPECT_EQ(world.ledger.delivered.size(), 104U);
}

// From the sources that are open, by weight; the one that is blocked gets none, and what stood there goes
// too.
TEST(MxSources, MailBesideABlockGoesFromTheOthers) {
  DrawnLimits limits = wide();
  limits.rate = 60;
  limits.burst = 1;
  MovesWorld moves(7, 1, 3, limits);
  MxWorld& world = moves.world;
  moves.start();
  moves.submit(600);
  moves.run(1min);
  moves.order(MxAction::kBlock, "source0");
  const conf::Instant blocked = world.world.now();
  moves.submit(600);
  moves.run(11min);
  EXPECT_TRUE(world.settled());
  EXPECT_EQ(moves.mails({blocked + 1s, 0, 0}), 0U);
  const auto one = static_cast<double>(moves.mails({blocked, 0, 1}));
  const auto two = static_cast<double>(moves.mails({blocked, 0, 2}));
  EXPECT_NEAR(one / two, 1, 0.15);
  moves.order(MxAction::kUnblock, "source0");
  const conf::Instant opened = world.world.now();
  moves.submit(300);
  moves.run(3min);
  EXPECT_GT(moves.mails({opened, 0, 0}), 60U);
  moves.expect_no_violation();
}

// A source whose ladder is used up leaves the rest to the warm ones, and takes its step to the message.
TEST(MxSources, AWarmingSourceGivesItsSurplusToTheWarmOnes) {
  DrawnLimits limits = wide();
  limits.warmup = {20, 40};
  MovesWorld moves(8, 1, 2, limits);
  moves.draw.new_source = true;
  moves.world.history.new_source = true;
  moves.start();
  for (int i = 0; i < 48; ++i) {
    moves.submit(20);
    moves.run(1min);
    EXPECT_TRUE(moves.world.settled()) << i;
    moves.run(29min);
  }
  EXPECT_LE(moves.mails({{}, 0, 1}), 20U);
  EXPECT_GE(moves.mails({{}, 0, 1}), 16U);
  moves.expect_no_violation();
}

// Whatever the orders, while one source is open nothing waits for another.
TEST(MxSources, OperatorsBlockAndOpenAtRandomAndNoMailWaitsBesideAnOpenSource) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    MovesWorld moves(seed, 1, 3, wide());
    MxWorld& world = moves.world;
    moves.start();
    moves.submit(30);
    moves.run(10s);
    std::vector<bool> open(3, true);
    for (int i = 0; i < 30; ++i) {
      const auto one = static_cast<size_t>(world.world.random.below(3));
      if (open[one] && std::ranges::count(open, true) == 1) continue;
      open[one] = !open[one];
      moves.order(open[one] ? MxAction::kUnblock : MxAction::kBlock, "source" + std::to_string(one));
      moves.submit(world.world.random.below(40));
      moves.run(world.world.between(1s, 90s));
      const conf::Instant since = world.world.now();
      moves.run(15s);
      EXPECT_TRUE(world.settled()) << seed << ' ' << i;
      for (size_t source = 0; source < 3; ++source) {
        if (!open[source]) {
          EXPECT_EQ(moves.mails({since, 0, source}), 0U) << seed;
        }
      }
    }
    moves.expect_no_violation();
  }
}

}  // namespace
}  // namespace sim
