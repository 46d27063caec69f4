#include "relay/queue/last_hosts.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "relay/queue/domain_table.h"
#include "tests/relay/routes_and_rules.h"

namespace relay::queue {
namespace {

TEST(LastHosts, AHostStandsForItsSiteWhereThatIsNotKnown) {
  LastHosts hosts;
  EXPECT_EQ(hosts.number_of("", "x"), LastHosts::kNone);
  EXPECT_EQ(hosts.site(LastHosts::kNone), "");
  const uint16_t alone = hosts.number_of("mx1.test", "");
  EXPECT_EQ(hosts.site(alone), "mx1.test");
  const uint16_t one = hosts.number_of("mx1.test", "mx1.test,mx2.test");
  EXPECT_EQ(hosts.site(one), "mx1.test,mx2.test");
  EXPECT_EQ(hosts.host(one), "mx1.test");
  EXPECT_EQ(hosts.site(alone), "mx1.test");
  EXPECT_EQ(hosts.number_of("mx1.test", ""), alone);
  EXPECT_EQ(hosts.number_of("mx1.test", "mx1.test,mx2.test"), one);
}

TEST(LastHosts, OfMoreThanItHoldsNothingIsKnown) {
  LastHosts hosts;
  for (size_t i = 0; i < LastHosts::kMost; ++i)
    ASSERT_NE(hosts.number_of(std::to_string(i), ""), LastHosts::kNone) << i;
  EXPECT_EQ(hosts.number_of("one.more", ""), LastHosts::kNone);
  EXPECT_EQ(hosts.site(hosts.number_of("7", "")), "7");
}

// A host of many sites: mail of one domain is not found, and not dropped, under the site of another.
TEST(LastHosts, ARouteOfOneDomainSaysNothingOfAnother) {
  DomainTable domains;
  const uint32_t one = domains.intern(conf::Domain::from_canonical("one.test"));
  const uint32_t two = domains.intern(conf::Domain::from_canonical("two.test"));
  domains.went_to(two, "shared.test");
  domains.set_route(&domains.at(one), route_to({{"shared.test", 10, 25, {}}, {"mx.one.test", 20, 25, {}}}));
  domains.forget_routes();
  EXPECT_EQ(domains.last_hosts().site(domains.at(one).last_host), "shared.test,mx.one.test");
  EXPECT_EQ(domains.last_hosts().site(domains.at(two).last_host), "shared.test");
}

}  // namespace
}  // namespace relay::queue
