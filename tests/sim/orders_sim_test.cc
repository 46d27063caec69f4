// Operators give orders at random, while the relay ends, crashes and loads its configuration anew. The judge
// of it says no to what is made up.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "relay/admin/mx_order.h"
#include "relay/desk/order_book.h"
#include "tests/sim/mx_draw.h"
#include "tests/sim/mx_world.h"
#include "tests/sim/orders_judge.h"
#include "tests/sim/seeds.h"

namespace sim {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using relay::admin::MxAction;
using relay::admin::MxOrder;

constexpr size_t kSites = 3;
// An order is in the spool a moment after it was given; a crash before that forgets it.
constexpr conf::Duration kWritten = 3s;

constexpr size_t kStreams = 2;  // and mail of none
constexpr size_t kDomains = 2;  // of each site, with a common MX

struct Target {
  int site = -1, rule = -1, source = -1;  // -1: not said
  int domain = -1;                        // of the site, which is not meant by its own name then
  int stream = -1;                        // whose mail is meant, wherever it goes
  bool operator==(const Target& other) const = default;
  // The site and a domain of it: whoever lifts by one name may mean the order by the other.
  bool is_other_name_of(const Target& other) const {
    return site >= 0 && site == other.site && source == other.source && (domain < 0) != (other.domain < 0);
  }
};

std::string domain_name(int site, int domain) {
  return 'd' + std::to_string(site) + '-' + std::to_string(domain) + ".test";
}

// Rule 0 is that of site 0, rule 1 that of the others.
class OrdersScenario {
 public:
  explicit OrdersScenario(uint64_t seed);
  void run();

  MxWorld world;
  OrderHistory told;
  uint64_t given = 0, lifted = 0, downs = 0, reloads = 0, expired = 0;

 private:
  struct Holding {
    Target target;
    size_t order = 0;
  };

  conf::Random& random() { return world.world.random; }
  conf::Instant now() { return world.world.now(); }
  Target draw_target();
  MxOrder order_of(MxAction action, const Target& target);
  void end_order(const Target& target);
  bool is_in_force(const Target& target);
  void block();
  void lift(const Target& target);
  void ask_only();
  void go_down();
  void reload();
  void hand_in();
  void turn();
  void tell_ends();

  size_t sources_;
  ConfigDraw draw_;
  std::vector<Holding> holding_;
  conf::Instant ordered_at_{};
  uint64_t messages_ = 0;
};

// What several sites and sources share: an order for one of them is none for the others.
DrawnRule rule_for(const std::string& name, const std::string& mx, conf::Random* random) {
  DrawnRule rule;
  rule.scope = static_cast<CountedBy>(random->below(3));
  rule.one_site = random->chance(0.5);
  rule.name = name;
  rule.mx = mx;
  rule.versions.emplace_back(conf::Instant{}, DrawnLimits());
  return rule;
}

OrdersScenario::OrdersScenario(uint64_t seed) : world(seed), sources_(1 + random().below(3)) {
  world.history.rules = {rule_for("first", "mx0.test", &random()), rule_for("others", "mx?.test", &random())};
  for (size_t site = 0; site < kSites; ++site) {
    world.history.rule_of.emplace_back(sources_, site == 0 ? 0 : 1);
    world.add_site(kDomains, 1);
  }
  draw_.sources = sources_;
  draw_.streams = kStreams;
  conf::Random apart(seed ^ 0x7a11d);  // the rest of a history does not depend on it
  const bool is_short = apart.chance(0.4);
  draw_.validity = world.validity =
      is_short ? 1min * static_cast<int64_t>(3 + apart.below(20)) : conf::Duration(24h);
}

Target OrdersScenario::draw_target() {
  Target target;
  if (random().chance(0.25)) {
    target.stream = static_cast<int>(random().below(kStreams));
    return target;
  }
  if (random().chance(0.5)) target.source = static_cast<int>(random().below(sources_));
  const uint64_t what = random().below(3);
  if (what == 0) {
    target.site = static_cast<int>(random().below(kSites));
    if (random().chance(0.5)) target.domain = static_cast<int>(random().below(kDomains));
  }
  if (what == 1) target.rule = static_cast<int>(random().below(2));
  return target;
}

MxOrder OrdersScenario::order_of(MxAction action, const Target& target) {
  MxOrder order;
  order.action = action;
  if (target.domain >= 0) {
    order.domain = domain_name(target.site, target.domain);
  } else if (target.site >= 0) {
    order.site = "mx" + std::to_string(target.site) + ".test";
  }
  if (target.rule >= 0) order.rule = world.history.rules[static_cast<size_t>(target.rule)].name;
  if (target.source >= 0) order.source = "source" + std::to_string(target.source);
  if (target.stream >= 0) order.stream = "stream" + std::to_string(target.stream);
  order.all = target.site < 0 && target.rule < 0 && target.source < 0 && target.stream < 0;
  order.who = "anna";
  return order;
}

void OrdersScenario::end_order(const Target& target) {
  for (const Holding& each : holding_) {
    conf::Instant& until = told.orders[each.order].until;
    if (each.target == target) until = std::min(until, now());
  }
  std::erase_if(holding_, [&](const Holding& each) { return each.target == target; });
}

void OrdersScenario::block() {
  const Target target = draw_target();
  MxOrder order = order_of(MxAction::kBlock, target);
  if (random().chance(0.7)) order.block_for = world.world.between(1s, 10min);
  end_order(target);  // the new one takes its place
  GivenOrder truth;
  truth.from = now();
  truth.domain = target.domain;
  truth.stream = target.stream;
  if (order.block_for.count() != 0) truth.until = now() + order.block_for;
  for (size_t site = 0; site < kSites; ++site) {
    truth.means.emplace_back();
    for (size_t source = 0; source < sources_; ++source) {
      const bool by_source = target.source < 0 || target.source == static_cast<int>(source);
      const bool by_site = target.site < 0 || target.site == static_cast<int>(site);
      const bool by_rule = target.rule < 0 || target.rule == (site == 0 ? 0 : 1);
      truth.means.back().push_back(by_source && by_site && by_rule);
    }
  }
  holding_.push_back({target, told.orders.size()});
  told.orders.push_back(std::move(truth));
  EXPECT_EQ(world.order(order).problem, "");
  ordered_at_ = now();
  ++given;
}

bool OrdersScenario::is_in_force(const Target& target) {
  const MxOrder order = order_of(MxAction::kBlock, target);
  const std::vector<relay::admin::OrderView> views = world.desk().orders();
  return std::ranges::any_of(
      views, [&](const relay::admin::OrderView& view) { return relay::same_target(view.order, order); });
}

// Where the route of the domain is not known nobody can say that it is another name of the site.
void OrdersScenario::lift(const Target& target) {
  MxOrder order =
      order_of(target.stream >= 0 || random().chance(0.8) ? MxAction::kUnblock : MxAction::kReset, target);
  order.automatic = order.action == MxAction::kUnblock && random().chance(0.3);
  world.order(order);
  end_order(target);
  const std::vector<Holding> before = holding_;
  for (const Holding& each : before)
    if (each.target.is_other_name_of(target) && !is_in_force(each.target)) end_order(each.target);
  ordered_at_ = now();
  ++lifted;
}

void OrdersScenario::ask_only() {
  MxOrder order = order_of(static_cast<MxAction>(random().below(3)), draw_target());
  order.dry_run = true;
  world.order(order);
}

void OrdersScenario::go_down() {
  if (now() - ordered_at_ < kWritten) world.run_until(now() + kWritten);
  const conf::Duration down = world.world.between(100ms, 2min);
  told.downs.push_back({now(), now() + down});
  if (random().chance(0.5)) {
    world.crash(down);
  } else {
    world.restart(down);
  }
  ++downs;
  world.run_until(now() + down + 1ms);
}

void OrdersScenario::reload() {
  DrawnLimits& limits = world.history.rules[random().below(2)].versions.back().second;
  limits.max_connections = 20 + static_cast<uint32_t>(random().below(5));
  world.reload(write_configuration(draw_, world.history.rules));
  ++reloads;
}

void OrdersScenario::hand_in() {
  const uint64_t count = random().below(15);
  for (uint64_t i = 0; i < count; ++i) {
    const size_t site = random().below(kSites);
    const int domain = static_cast<int>(random().below(kDomains));
    const int stream = static_cast<int>(random().below(kStreams + 1)) - 1;
    const std::string from = "m" + std::to_string(messages_++) + '@' +
                             (stream < 0 ? "sender" : 's' + std::to_string(stream)) + ".test";
    told.messages.push_back({now(), site, from, domain, stream});
    world.submit(from, {"u0@" + domain_name(static_cast<int>(site), domain)});
  }
}

void OrdersScenario::turn() {
  const double what = random().unit();
  if (what < 0.4) {
    block();
  } else if (what < 0.75) {
    lift(holding_.empty() || random().chance(0.2) ? draw_target()
                                                  : holding_[random().below(holding_.size())].target);
  } else if (what < 0.85) {
    ask_only();
  } else if (what < 0.93) {
    reload();
  } else {
    go_down();
  }
}

void OrdersScenario::tell_ends() {
  std::set<std::string> promised;  // a crash may come before the 250
  for (const auto& [key, from] : world.ledger.promised) promised.insert(from);
  std::erase_if(told.messages, [&](const HandedIn& message) { return !promised.contains(message.from); });
  std::map<std::string, conf::Instant> accepted;
  for (size_t i = 0; i < world.log.events.size(); ++i) {
    const conf::DeliveryEvent& event = world.log.events[i];
    if (event.kind == conf::EventKind::kAccepted) accepted[event.reverse_path] = world.log.moments[i];
    expired += event.kind == conf::EventKind::kExpired ? 1 : 0;
  }
  for (HandedIn& message : told.messages) {
    const auto found = accepted.find(message.from);
    if (found != accepted.end()) message.over = found->second + world.validity;
  }
}

void OrdersScenario::run() {
  world.start(write_configuration(draw_, world.history.rules));
  for (int i = 0; i < 40; ++i) {
    hand_in();
    turn();
    const conf::Duration length =
        random().chance(0.3) ? world.world.between(1ms, 1s) : world.world.between(1s, 3min);
    world.run_until(now() + length);
  }
  while (!holding_.empty()) lift(holding_.back().target);
  world.run_until(now() + 1min);
  told.end = now();
  EXPECT_TRUE(world.settled());
  EXPECT_TRUE(world.desk().orders().empty());
  tell_ends();
  for (std::string& violation : judge_orders(world.history, told)) world.ledger.violate(std::move(violation));
}

TEST(OrdersSimulation, NothingGoesAgainstAnOrderAndNothingWaitsWithoutOne) {
  uint64_t given = 0, lifted = 0, downs = 0, reloads = 0, arrived = 0, expired = 0;
  const std::vector<uint64_t> seeds = seeds_to_play("orders", 60);
  for (const uint64_t seed : seeds) {
    OrdersScenario scenario(seed);
    scenario.run();
    EXPECT_TRUE(scenario.world.ledger.violations.empty())
        << "seed " << seed << ": " << scenario.world.ledger.violations[0];
    if (testing::Test::HasFailure()) return;
    given += scenario.given;
    lifted += scenario.lifted;
    downs += scenario.downs;
    reloads += scenario.reloads;
    arrived += scenario.world.ledger.delivered.size();
    expired += scenario.expired;
  }
  std::printf(
      "%llu orders to block, %llu lifted, %llu ends, %llu reloads; %llu messages arrived, %llu expired\n",
      static_cast<unsigned long long>(given), static_cast<unsigned long long>(lifted),   // NOLINT
      static_cast<unsigned long long>(downs), static_cast<unsigned long long>(reloads),  // NOLINT
      static_cast<unsigned long long>(arrived),                                          // NOLINT
      static_cast<unsigned long long>(expired));                                         // NOLINT
  if (seeds.size() >= 30) {
    EXPECT_GT(given, 5 * seeds.size());
    EXPECT_GT(lifted, 5 * seeds.size());
    EXPECT_GT(downs, seeds.size() / 2);
    EXPECT_GT(reloads, seeds.size() / 2);
    EXPECT_GT(arrived, 50 * seeds.size());
    EXPECT_GT(expired, 5 * seeds.size());
  }
}

TEST(OrdersSimulation, AMessageNamesTheStreamWhoseOrderKeepsItBack) {
  MxWorld world(7);
  world.add_site(1, 1);
  ConfigDraw draw;
  draw.sources = draw.streams = 1;
  draw.validity = world.validity = 24h;
  world.start(write_configuration(draw, {}));
  MxOrder order;
  order.stream = "stream0";
  EXPECT_EQ(world.order(order).problem, "");
  world.submit("a@s0.test", {"u0@d0-0.test"});
  world.run_until(world.world.now() + 10s);
  const auto& events = world.log.events;
  const auto accepted = std::ranges::find(events, conf::EventKind::kAccepted, &conf::DeliveryEvent::kind);
  ASSERT_NE(accepted, events.end());
  const conf::MessageId id = accepted->id;
  EXPECT_EQ(world.desk().paused_stream(id), "stream0");
  order.action = MxAction::kUnblock;
  world.order(order);
  world.run_until(world.world.now() + 10s);
  EXPECT_EQ(world.desk().paused_stream(id), "");
  EXPECT_TRUE(world.settled());
}

// One site, one source: an order from 10 s to 100 s, and mail at 20 s.
class OrdersJudge : public testing::Test {
 protected:
  OrdersJudge() {
    told.orders.push_back({moment(10s), moment(100s), {{true}}});
    told.messages.push_back({moment(20s), 0, "a@sender.test", 0, 0});
    told.end = moment(1h);
    seen.sessions.push_back({0, 0, "127.2.0.1", moment(0s), moment(1h), PeerWatch::End::kQuit, {}});
  }
  static conf::Instant moment(conf::Duration at) { return conf::Instant{} + at; }
  void goes(conf::Duration at) { seen.mails.push_back({moment(at), 0, "a@sender.test", moment(at)}); }
  size_t violations() { return judge_orders(seen, told).size(); }

  History seen;
  OrderHistory told;
};

TEST_F(OrdersJudge, SaysYesToMailThatGoesWhenTheOrderIsOver) {
  goes(101s);
  EXPECT_EQ(violations(), 0U);
}

TEST_F(OrdersJudge, SaysNoToMailAgainstAnOrder) {
  goes(50s);
  EXPECT_EQ(violations(), 1U);
}

TEST_F(OrdersJudge, SaysNoToMailOfTheDomainThatAnOrderNamesAndYesToThatOfAnother) {
  goes(50s);
  for (const int domain : {0, 1}) {
    told.orders[0].domain = domain;
    EXPECT_EQ(violations(), domain == 0 ? 1U : 0U);
  }
}

TEST_F(OrdersJudge, SaysNoToMailOfTheStreamThatAnOrderNamesAndYesToThatOfAnother) {
  goes(25s);
  for (const int stream : {0, 1}) {
    told.orders[0].stream = stream;
    EXPECT_EQ(violations(), stream == 0 ? 1U : 0U);
  }
}

TEST_F(OrdersJudge, SaysNoToMailThatWaitsForAnOrderOnAnotherStream) {
  told.orders[0].stream = 1;
  goes(60s);
  EXPECT_EQ(violations(), 1U);
}

TEST_F(OrdersJudge, SaysNoToMailThatIsSentAfterItsValidityAndYesToMailThatEndedThen) {
  told.messages[0].over = moment(90s);
  EXPECT_EQ(violations(), 0U);
  goes(101s);
  EXPECT_EQ(violations(), 1U);
}

TEST_F(OrdersJudge, SaysNoToMailThatSleepsOn) {
  goes(120s);
  EXPECT_EQ(violations(), 1U);
  told.downs.push_back({moment(99s), moment(119s)});
  EXPECT_EQ(violations(), 0U);
  seen.mails.clear();
  EXPECT_EQ(violations(), 1U);
}

TEST_F(OrdersJudge, SaysNoToMailThatWaitsBesideAnOpenSource) {
  told.orders[0].means = {{true, false}};
  goes(101s);
  EXPECT_EQ(violations(), 1U);
}

}  // namespace
}  // namespace sim
