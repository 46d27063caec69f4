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
  auto route = std::make_shared<mx::Route>();
  route->kind = mx::Route::Kind::kHosts;
  route->site = "mx|bad.test";
  route->hosts.push_back({"mx|bad.test", 10, 25, {"127.0.0.1"}});
  domain.route = route;
  domain.settings = conf::settings_in(config_with(10), domain.name.text(), &domain.destination);
  Path* path = sites.path_from(&domain, sites.config().sources[0]);
  ASSERT_NE(path, nullptr);
  EXPECT_EQ(path->settings->max_recipients_per_transaction, 10U);
  sites.reload(config_with(7), nullptr);
  while (sites.reload_some([](Path*) {})) {
  }
  EXPECT_EQ(path->settings->max_recipients_per_transaction, 7U);
}

}  // namespace
}  // namespace relay::queue
