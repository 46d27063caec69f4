#include "relay/queue/last_hosts.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "relay/queue/domain_table.h"
#include "tests/relay/routes_and_rules.h"

namespace relay::queue {
namespace {

TEST(LastHosts, AHostStandsForItsSiteUntilThatIsKnown) {
  LastHosts hosts;
  EXPECT_EQ(hosts.number_of("", "x"), LastHosts::kNone);
  EXPECT_EQ(hosts.site(LastHosts::kNone), "");
  const uint16_t one = hosts.number_of("mx1.test", "");
  EXPECT_EQ(hosts.site(one), "mx1.test");
  hosts.is_of("mx1.test", "mx1.test,mx2.test");
  hosts.is_of("mx2.test", "mx1.test,mx2.test");
  EXPECT_EQ(hosts.site(one), "mx1.test,mx2.test");
  EXPECT_EQ(hosts.host(one), "mx1.test");
  EXPECT_EQ(hosts.number_of("mx1.test", ""), one);
  EXPECT_EQ(hosts.site(one), "mx1.test,mx2.test") << "what is known stays";
  EXPECT_EQ(hosts.site(hosts.number_of("mx2.test", "")), "mx2.test") << "nobody asked for it before";
}

TEST(LastHosts, OfMoreThanItHoldsNothingIsKnown) {
  LastHosts hosts;
  for (size_t i = 0; i < LastHosts::kMost; ++i)
    ASSERT_NE(hosts.number_of(std::to_string(i), ""), LastHosts::kNone) << i;
  EXPECT_EQ(hosts.number_of("one.more", ""), LastHosts::kNone);
  EXPECT_EQ(hosts.site(hosts.number_of("7", "")), "7");
}

// After a restart: the domains that went to the same site by different hosts come together again.
TEST(LastHosts, ARouteOfOneDomainTellsTheSiteOfTheOthers) {
  DomainTable domains;
  const uint32_t one = domains.intern(conf::Domain::from_canonical("one.test"));
  const uint32_t two = domains.intern(conf::Domain::from_canonical("two.test"));
  domains.went_to(one, "mx1.test");
  domains.went_to(two, "mx2.test");
  domains.set_route(&domains.at(one), route_to({{"mx1.test", 10, 25, {}}, {"mx2.test", 20, 25, {}}}));
  EXPECT_EQ(domains.last_hosts().site(domains.at(two).last_host), "mx1.test,mx2.test");
}

}  // namespace
}  // namespace relay::queue
