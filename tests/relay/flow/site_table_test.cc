#include "relay/flow/site_table.h"

#include <gtest/gtest.h>

#include "tests/relay/flow/dispatcher_rig.h"

namespace relay::queue {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

std::shared_ptr<conf::Config> config_with(uint32_t max_recipients) {
  auto config = std::make_shared<conf::Config>();
  config->sources.resize(1);
  config->sources[0].name = "default";
  config->defaults.max_recipients_per_transaction = max_recipients;
  return config;
}

// The key of a site is its hosts and the name of its destination with '|' between them, and a name server may
// answer with any octets as the name of a host.
TEST(SiteTable, AHostWithABarInItsNameTakesTheNewSettingsOfAReload) {
  ManualClock clock;
  SiteTable sites(config_with(10), nullptr, &clock);
  DomainTable domains;
  DomainEntry& domain = domains.at(domains.intern(conf::Domain::from_canonical("d.test")));
  domain.route = route_to("mx|bad.test");
  domain.settings = conf::settings_in(config_with(10), domain.name.text(), &domain.destination);
  Path* path = sites.path_from(&domain, sites.config().sources[0]);
  ASSERT_NE(path, nullptr);
  EXPECT_EQ(path->settings->max_recipients_per_transaction, 10U);
  sites.reload(config_with(7), nullptr);
  while (sites.reload_some([](Path*) {})) {
  }
  EXPECT_EQ(path->settings->max_recipients_per_transaction, 7U);
}

// Whoever owns a zone may name a host of a provider beside his own: the mail goes to his.
TEST(SiteTable, ADomainWithOtherHostsBesideThoseOfTheProviderSharesNoneOfItsCounters) {
  conf::MxRule rule = rule_for_test("provider", "*.provider.test");
  rule.fields.one_site = conf::RuleField<bool>::set(true);
  rule.fields.max_connections = conf::RuleField<uint32_t>::set(10);
  const mx::BuiltRules rules = mx::build_rules({rule});
  const auto config = config_with(10);
  ManualClock clock;
  SiteTable sites(config, rules.book, &clock);
  DomainTable domains;
  const auto path_to = [&](const std::string& name, const std::vector<std::string>& hosts) {
    DomainEntry& domain = domains.at(domains.intern(conf::Domain::from_canonical(name)));
    std::vector<mx::RouteHost> named;
    for (const std::string& host : hosts) named.push_back({host, 10, 25, {"127.0.0.1"}});
    domain.route = route_to(std::move(named));
    domain.settings = conf::settings_in(config, domain.name.text(), &domain.destination);
    return sites.path_from(&domain, config->sources[0]);
  };
  const Path* one = path_to("one.test", {"a.provider.test"});
  const Path* two = path_to("two.test", {"b.provider.test", "c.provider.test"});
  const Path* foreign = path_to("evil.test", {"mx.evil.test", "a.provider.test"});
  EXPECT_EQ(one->counters.standing, two->counters.standing);
  EXPECT_NE(one->counters.standing, foreign->counters.standing);
  EXPECT_EQ(foreign->limits->max_connections, 10U) << "the limits of the rule hold for it, by itself";
  sites.reload(config, rules.book);
  while (sites.reload_some([](Path*) {})) {
  }
  EXPECT_EQ(one->counters.standing, two->counters.standing);
  EXPECT_NE(one->counters.standing, foreign->counters.standing);
}

mx::BuiltRules rules_with(conf::RuleScope scope, uint32_t connections) {
  conf::MxRule rule = rule_for_test("all");
  rule.fields.scope = conf::RuleField<conf::RuleScope>::set(scope);
  rule.fields.max_connections = conf::RuleField<uint32_t>::set(connections);
  return mx::build_rules({rule});
}

// What its connections hold would count elsewhere than what is sent after the edit.
TEST(SiteTable, AnEditOfWhatIsCountedTogetherIsWaitedForAndOneOfNumbersIsNot) {
  const auto config = config_with(10);
  ManualClock clock;
  SiteTable sites(config, rules_with(conf::RuleScope::kSource, 10).book, &clock);
  DomainTable domains;
  DomainEntry& domain = domains.at(domains.intern(conf::Domain::from_canonical("d.test")));
  domain.route = route_to("mx.test");
  domain.settings = conf::settings_in(config, domain.name.text(), &domain.destination);
  Path* path = sites.path_from(&domain, config->sources[0]);
  const uint32_t counted = path->counters.version;
  const auto standing = path->counters.standing;
  sites.reload(config, rules_with(conf::RuleScope::kSource, 5).book);
  EXPECT_FALSE(sites.awaits_rules(*path));
  while (sites.reload_some([](Path*) {})) {
  }
  EXPECT_EQ(path->counters.version, counted);
  EXPECT_EQ(path->counters.standing, standing);
  sites.reload(config, rules_with(conf::RuleScope::kPool, 5).book);
  EXPECT_TRUE(sites.awaits_rules(*path));
  while (sites.reload_some([](Path*) {})) {
  }
  EXPECT_FALSE(sites.awaits_rules(*path));
  EXPECT_NE(path->counters.version, counted);
  EXPECT_NE(path->counters.standing, standing);
}

}  // namespace
}  // namespace relay::queue
