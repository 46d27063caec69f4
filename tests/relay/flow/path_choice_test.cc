#include "relay/flow/path_choice.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "tests/relay/flow/dispatcher_rig.h"

namespace relay::queue {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

class PathChoiceTest : public testing::Test {
 protected:
  conf::Source* add_source(const std::string& name, uint32_t weight = 1) {
    conf::Source& source = made_->sources.emplace_back();
    source.name = name;
    source.id = static_cast<uint32_t>(made_->sources.size());
    source.weight = weight;
    return &source;
  }
  void start(const std::vector<conf::MxRule>& rules = {}) {
    built_ = mx::build_rules(rules);
    sites_ = std::make_unique<SiteTable>(made_, rules.empty() ? nullptr : built_.book, &clock_);
    choice_ = std::make_unique<PathChoice>(sites_.get(), &random_);
  }
  DomainEntry* domain(const std::string& name = "d.test") {
    DomainEntry& entry = domains_.at(domains_.intern(conf::Domain::from_canonical(name)));
    entry.route = route_to("mx.d.test");
    entry.settings = conf::settings_in(made_, name);
    return &entry;
  }
  const conf::Source& source(size_t index) const { return sites_->config().sources[index]; }
  void block(Path* path) { path->counters.standing->block_by_rule(clock_.now() + 1h, "test", clock_.now()); }

  ManualClock clock_;
  conf::Random random_{7};
  std::shared_ptr<conf::Config> made_ = std::make_shared<conf::Config>();
  mx::BuiltRules built_;
  DomainTable domains_;
  std::unique_ptr<SiteTable> sites_;
  std::unique_ptr<PathChoice> choice_;
};

// Of two sources the second sends by way of smart hosts, whose names cannot be found out.
class FailedDetourTest : public PathChoiceTest {
 protected:
  FailedDetourTest() {
    add_source("direct");
    add_source("by-smart-host");
    conf::MxRule rule = rule_for_test("smart");
    rule.sources = "2";
    rule.fields.smart_hosts = conf::RuleField<std::vector<conf::SmartHost>>::set({{"smart.test", 25}});
    start({rule});
    entry_ = domain();
    auto nowhere = std::make_shared<mx::Route>();
    nowhere->kind = mx::Route::Kind::kDefer;
    nowhere->detail = "no answer in time";
    const mx::RulePtr smart = sites_->rule_for(entry_, source(1));
    EXPECT_NE(smart, nullptr);
    entry_->detours.push_back({smart, route_to("smart.test"), conf::kNever});
    by_smart_host_ = sites_->path_from(entry_, source(1));
    entry_->detours.front().route = std::move(nowhere);
  }
  DomainEntry* entry_ = nullptr;
  Path* by_smart_host_ = nullptr;
};

// Only the IPv6 addresses of the host were found out, and the source has none: its names fail, not the
// sources.
TEST_F(PathChoiceTest, WhereAddressesCouldNotBeFoundOutThatIsTheReason) {
  add_source("four")->address = "127.0.0.1";
  start();
  DomainEntry* entry = domain();
  mx::Route found = *route_to("mx.d.test", "2001:db8::1");
  entry->route = std::make_shared<mx::Route>(found);
  EXPECT_FALSE(choice_->choose(entry).names_fail);
  found.partial = true;
  found.detail = "the addresses of mx.d.test cannot be found out now";
  entry->route = std::make_shared<mx::Route>(found);
  const Way way = choice_->choose(entry);
  EXPECT_EQ(way.path, nullptr);
  EXPECT_TRUE(way.names_fail);
  EXPECT_EQ(way.why_not, found.detail);
}

TEST_F(FailedDetourTest, NoMailPassesByItsSmartHosts) {
  block(sites_->path_from(entry_, source(0)));
  for (int i = 0; i < 100; ++i) {
    const Way way = choice_->choose(entry_);
    if (way.path == nullptr) continue;  // drawn to the smart hosts: it waits for their names
    EXPECT_EQ(way.path->source.name, "direct") << "by " << way.path->site->label;
  }
  EXPECT_FALSE(
      choice_->goes_sooner_elsewhere(entry_, StreamTable::kNone, *sites_->path_from(entry_, source(0))));
}

TEST_F(FailedDetourTest, MailThatWaitsForThemStaysThere) {
  EXPECT_TRUE(sites_->leads_here(*entry_, by_smart_host_));
  entry_->rules.clear();  // as after the route was found anew
  EXPECT_TRUE(sites_->leads_here(*entry_, by_smart_host_));
  entry_->detours.front().route = route_to("smart.test");
  EXPECT_TRUE(sites_->leads_here(*entry_, by_smart_host_));
  entry_->detours.front().route = route_to("other.test");
  EXPECT_FALSE(sites_->leads_here(*entry_, by_smart_host_));
}

TEST_F(PathChoiceTest, AThousandSourcesAreDrawnByTheirWeights) {
  made_->sources.reserve(1000);
  for (int i = 0; i < 1000; ++i) add_source("s" + std::to_string(i), i < 500 ? 1 : 3);
  for (int i = 0; i < 10; ++i) made_->sources[static_cast<size_t>(i)].weight = 0;
  made_->sources[999].exclude_domains = {"d.test"};
  made_->sources[998].address = "2001:db8::1";
  start();
  DomainEntry* entry = domain();
  int heavy = 0;
  for (int i = 0; i < 4000; ++i) {
    const size_t number = std::stoul(choice_->choose(entry).path->source.name.substr(1));
    EXPECT_GE(number, 10U) << "its weight is 0";
    EXPECT_LT(number, 998U) << "its masks leave the domain out, or it has no family of the host";
    heavy += number >= 500 ? 1 : 0;
  }
  EXPECT_NEAR(heavy, 4000 * 1494 / 1984, 120);
}

TEST_F(PathChoiceTest, OfManyBlockedSourcesTheFreeOneIsFoundByAndBy) {
  made_->sources.reserve(200);
  for (int i = 0; i < 200; ++i) add_source("s" + std::to_string(i));
  start();
  DomainEntry* entry = domain();
  for (size_t i = 0; i < 199; ++i) block(sites_->path_from(entry, source(i)));
  Path* blocked = sites_->path_from(entry, source(0));
  EXPECT_TRUE(choice_->others_may_take(*blocked, choice_->outlook_of(*blocked->site)))
      << "one was never used";
  Path* last = sites_->path_from(entry, source(199));
  EXPECT_TRUE(choice_->others_may_take(*blocked, choice_->outlook_of(*blocked->site)));
  EXPECT_FALSE(choice_->others_may_take(*last, choice_->outlook_of(*last->site))) << "it is free itself";
  int found = 0;
  for (int i = 0; i < 300; ++i) found += choice_->choose(entry).path == last ? 1 : 0;
  EXPECT_GT(found, 3) << "some eight looks of two hundred for each message";
  block(last);
  EXPECT_FALSE(choice_->others_may_take(*blocked, choice_->outlook_of(*blocked->site)));
}

// Two sources, each with its path.
class TwoPathsTest : public PathChoiceTest {
 protected:
  TwoPathsTest() {
    add_source("a");
    add_source("b");
    start();
    entry_ = domain();
    a_ = sites_->path_from(entry_, source(0));
    b_ = sites_->path_from(entry_, source(1));
  }
  DomainEntry* entry_ = nullptr;
  Path *a_ = nullptr, *b_ = nullptr;
};

TEST_F(TwoPathsTest, TheOnlyFreePathDoesNotAdviseItself) {
  block(a_);
  const PathChoice::Outlook outlook = choice_->outlook_of(*a_->site);
  EXPECT_TRUE(choice_->others_may_take(*a_, outlook));
  EXPECT_FALSE(choice_->others_may_take(*b_, outlook));
}

// Nobody else may ask that path for a long time, and its event would have the wrong time.
TEST_F(TwoPathsTest, APathThatDecidesByBeingAskedIsHeardAtOnce) {
  block(a_);
  block(b_);
  std::vector<const Path*> heard;
  choice_->on_decided = [&heard](const Path& path) {
    (void)path.counters.standing->take_decisions();
    heard.push_back(&path);
  };
  (void)choice_->choose(entry_);
  EXPECT_EQ(heard.size(), 2U) << "the one that was drawn, and the other";
  clock_.time += 1h;
  heard.clear();
  (void)choice_->others_may_take(*b_, choice_->outlook_of(*b_->site));
  EXPECT_EQ(heard, (std::vector<const Path*>{a_, b_})) << "their blocks are over";
}

TEST_F(PathChoiceTest, AfterAReloadASourceThatIsGoneIsNoHope) {
  add_source("a");
  add_source("gone");
  start();
  DomainEntry* entry = domain();
  Path* a = sites_->path_from(entry, source(0));
  sites_->path_from(entry, source(1));
  auto fewer = std::make_shared<conf::Config>(*made_);
  fewer->sources.pop_back();
  sites_->reload(fewer, nullptr);
  while (sites_->reload_some([](Path*) {})) {
  }
  block(a);
  EXPECT_FALSE(choice_->others_may_take(*a, choice_->outlook_of(*a->site)));
}

TEST_F(PathChoiceTest, WhatAReplySwitchedOffIsDrawnOnlyWhenAllAre) {
  add_source("a", 1000);
  add_source("b");
  add_source("c");
  start();
  DomainEntry* entry = domain();
  sites_->switch_off(sites_->path_from(entry, source(0)), clock_.now() + 1h, "a rule");
  std::map<std::string, int> drawn;
  for (int i = 0; i < 400; ++i) ++drawn[choice_->choose(entry).path->source.name];
  EXPECT_EQ(drawn["a"], 0);
  EXPECT_NEAR(drawn["b"], 200, 60);
  sites_->switch_off(sites_->path_from(entry, source(1)), clock_.now() + 1h, "a rule");
  sites_->switch_off(sites_->path_from(entry, source(2)), clock_.now() + 1h, "a rule");
  EXPECT_NE(choice_->choose(entry).path, nullptr);
}

// What the sources of a pool used up together is used up for each of them, the one that was never asked too.
TEST_F(PathChoiceTest, NoOtherSourceOfAPoolIsSoonerByWhatAllHaveUsedUp) {
  add_source("a");
  add_source("b");
  conf::MxRule rule = rule_for_test("pool");
  rule.fields.scope = conf::RuleField<conf::RuleScope>::set(conf::RuleScope::kPool);
  rule.fields.rate = conf::RuleField<conf::RuleRate>::set({1, 1h, 1});
  start({rule});
  DomainEntry* entry = domain();
  Path* a = sites_->path_from(entry, source(0));
  sites_->traffic(a, {})->charge(clock_.now());
  ASSERT_NE(state_of(a, clock_.now()).readiness, Readiness::kFree);
  EXPECT_FALSE(choice_->goes_sooner_elsewhere(entry, StreamTable::kNone, *a));
  std::map<std::string, int> drawn;
  for (int i = 0; i < 400; ++i) ++drawn[choice_->choose(entry).path->source.name];
  EXPECT_NEAR(drawn["a"], 200, 60);
  Path* b = sites_->path_from(entry, source(1));
  EXPECT_TRUE(b->counters.traffic.empty());
  EXPECT_FALSE(choice_->goes_sooner_elsewhere(entry, StreamTable::kNone, *a))
      << "it is there and was not asked";
  a->holds.order_until(clock_.now() + 2h);
  EXPECT_TRUE(choice_->goes_sooner_elsewhere(entry, StreamTable::kNone, *a)) << "an order is for one alone";
}

}  // namespace
}  // namespace relay::queue
