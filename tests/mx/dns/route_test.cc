#include "mx/dns/route.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mx/dns/special_address.h"
#include "tests/mx/dns/fake_resolver.h"

namespace mx {
namespace {

using namespace std::chrono_literals;

class RouterTest : public testing::Test {
 protected:
  RoutePtr route(const std::string& domain) {
    Router router(options, &dns, &random);
    RoutePtr found;
    const conf::Result<conf::Domain> name = conf::Domain::parse(domain);
    router.route(name.value(), settings, [&found](RoutePtr route) { found = std::move(route); });
    dns.release();
    EXPECT_NE(found, nullptr);
    return found;
  }
  static std::string names(const Route& route) {
    std::string text;
    for (const RouteHost& host : route.hosts) text += (text.empty() ? "" : " ") + host.name;
    return text;
  }

  RouterOptions options{"relay.example", {"8.8.2.200:25"}, true, false};
  conf::DestinationSettings settings;
  FakeResolver dns;
  conf::Random random{1};
};

TEST_F(RouterTest, Rfc5321_5_1_PreferenceOrders) {
  dns.mx("d.example", {{20, "b.example"}, {10, "a.example"}, {30, "c.example"}});
  for (const char* host : {"a.example", "b.example", "c.example"}) dns.address(host, {"8.8.2.1"});
  const RoutePtr found = route("d.example");
  EXPECT_EQ(found->kind, Route::Kind::kHosts);
  EXPECT_EQ(names(*found), "a.example b.example c.example");
  EXPECT_EQ(found->site, "a.example,b.example,c.example");
}

TEST_F(RouterTest, Rfc5321_5_1_TheSameHostsInAnotherOrderAreOneSiteWithTwoOrders) {
  dns.mx("a.example", {{10, "m1.example"}, {20, "m2.example"}, {20, "m3.example"}});
  dns.mx("b.example", {{5, "m2.example"}, {5, "m3.example"}, {7, "m1.example"}});
  dns.mx("c.example", {{1, "m1.example"}, {2, "m3.example"}, {2, "m2.example"}});
  dns.mx("d.example", {{1, "m1.example"}, {1, "m3.example"}, {1, "m2.example"}});
  for (const char* host : {"m1.example", "m2.example", "m3.example"}) dns.address(host, {"8.8.2.1"});
  EXPECT_EQ(route("a.example")->site, route("b.example")->site);
  EXPECT_EQ(route("a.example")->order, "m1.example|m2.example,m3.example");
  EXPECT_EQ(route("b.example")->order, "m2.example,m3.example|m1.example");
  EXPECT_EQ(route("c.example")->order, route("a.example")->order);
  EXPECT_EQ(route("d.example")->order, "");
}

TEST_F(RouterTest, AHostThatCannotBeFoundNowStaysInTheSiteAndTheRouteLivesSeconds) {
  dns.mx("d.example", {{10, "a.example"}, {20, "b.example"}});
  dns.address("b.example", {"8.8.2.2"});
  dns.status("a.example", RecordType::kA, DnsStatus::kFailed);
  const RoutePtr found = route("d.example");
  EXPECT_EQ(names(*found), "b.example");
  EXPECT_EQ(found->site, "a.example,b.example");
  EXPECT_EQ(found->order, "a.example|b.example");
  EXPECT_LE(found->ttl, 5s);
}

TEST_F(RouterTest, Rfc5321_5_1_EqualsAreShuffled) {
  dns.mx("d.example", {{10, "a.example"}, {10, "b.example"}, {20, "z.example"}});
  for (const char* host : {"a.example", "b.example", "z.example"}) dns.address(host, {"8.8.2.1"});
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) seen.insert(names(*route("d.example")));
  EXPECT_EQ(seen, (std::set<std::string>{"a.example b.example z.example", "b.example a.example z.example"}));
}

TEST_F(RouterTest, OfVeryManyEqualHostsTheSameAreTakenEveryTime) {
  std::vector<MxRecord> hosts;
  for (int i = 0; i < 60; ++i) {
    hosts.push_back({10, "m" + std::to_string(i) + ".example"});
    dns.address(hosts.back().host, {"8.8.2.1"});
  }
  for (int i = 0; i < 20; ++i) {
    std::rotate(hosts.begin(), hosts.begin() + 7, hosts.end());
    dns.mx("d" + std::to_string(i) + ".example", hosts);
  }
  const std::string site = route("d0.example")->site;
  std::set<std::string> orders;
  for (int i = 0; i < 20; ++i) {
    const RoutePtr found = route("d" + std::to_string(i) + ".example");
    EXPECT_EQ(found->site, site);
    orders.insert(names(*found));
  }
  EXPECT_GT(orders.size(), 1U) << "they share the load";
}

TEST_F(RouterTest, Rfc5321_5_1_NoMxMeansTheDomainItself) {
  dns.address("d.example", {"8.8.2.7"});
  const RoutePtr found = route("d.example");
  EXPECT_EQ(names(*found), "d.example");
  EXPECT_EQ(found->hosts.front().addresses, std::vector<std::string>{"8.8.2.7"});
}

TEST_F(RouterTest, Rfc7505_NullMx) {
  dns.mx("d.example", {{0, ""}});
  dns.address("d.example", {"8.8.2.7"});
  const RoutePtr found = route("d.example");
  EXPECT_EQ(found->kind, Route::Kind::kNullMx);
  EXPECT_EQ(found->reply_code(), 556);
  EXPECT_STREQ(found->enhanced_status(), "5.1.10");
}

TEST_F(RouterTest, Rfc7505_3_NullMxBesideOthersIsIgnored) {
  dns.mx("d.example", {{0, ""}, {10, "a.example"}});
  dns.address("a.example", {"8.8.2.1"});
  EXPECT_EQ(names(*route("d.example")), "a.example");
}

TEST_F(RouterTest, NoSuchDomain) {
  const RoutePtr found = route("d.example");
  EXPECT_EQ(found->kind, Route::Kind::kNoDomain);
  EXPECT_STREQ(found->enhanced_status(), "5.1.2");
}

TEST_F(RouterTest, TroubleDefers) {
  for (const DnsStatus status : {DnsStatus::kFailed, DnsStatus::kTimeout}) {
    dns.status("d.example", RecordType::kMx, status);
    EXPECT_EQ(route("d.example")->kind, Route::Kind::kDefer);
  }
  dns.mx("e.example", {{10, "a.example"}});
  dns.status("a.example", RecordType::kA, DnsStatus::kTimeout);
  dns.status("a.example", RecordType::kAaaa, DnsStatus::kNoData);
  const RoutePtr found = route("e.example");
  EXPECT_EQ(found->kind, Route::Kind::kDefer);
  EXPECT_EQ(found->reply_code(), 451);
  EXPECT_LE(found->ttl, conf::Duration(1min));  // asked again soon
}

TEST_F(RouterTest, OneHostInTroubleDoesNotHideTheOther) {
  dns.mx("d.example", {{10, "a.example"}, {20, "b.example"}});
  dns.status("a.example", RecordType::kA, DnsStatus::kFailed);
  dns.address("b.example", {"8.8.2.1"});
  dns.status("a.example", RecordType::kAaaa, DnsStatus::kFailed);
  const RoutePtr found = route("d.example");
  EXPECT_EQ(names(*found), "b.example");
  EXPECT_EQ(found->detail, "the addresses of a.example cannot be found out now") << "once";
  DnsAnswer refused;
  refused.status = DnsStatus::kFailed;
  refused.detail = "the name server 192.0.2.53 answered REFUSED";
  dns.answers[{"a.example", RecordType::kA}] = refused;
  EXPECT_EQ(route("d.example")->detail,
            "the addresses of a.example cannot be found out now: " + refused.detail);
}

TEST_F(RouterTest, Rfc5321_5_1_OurselvesAndAllBehindUsAreCut) {
  dns.mx("d.example", {{10, "a.example"}, {20, "relay.example"}, {20, "c.example"}, {30, "d2.example"}});
  for (const char* host : {"a.example", "relay.example", "c.example", "d2.example"})
    dns.address(host, {"8.8.2.1"});
  EXPECT_EQ(names(*route("d.example")), "a.example");
}

TEST_F(RouterTest, Rfc5321_5_1_BestMxIsUs) {
  dns.mx("d.example", {{10, "relay.example"}, {20, "a.example"}});
  dns.address("a.example", {"8.8.2.1"});
  const RoutePtr by_name = route("d.example");
  EXPECT_EQ(by_name->kind, Route::Kind::kLoop);
  EXPECT_STREQ(by_name->enhanced_status(), "5.4.6");
  dns.mx("e.example", {{10, "other.example"}});
  dns.address("other.example", {"8.8.2.200"});
  EXPECT_EQ(route("e.example")->kind, Route::Kind::kLoop);  // by address and port
}

TEST_F(RouterTest, MxThatIsAnAddressIsIgnoredAndSaid) {
  dns.mx("d.example", {{10, "8.8.2.9"}, {20, "localhost"}, {30, "a.example"}});
  dns.address("a.example", {"8.8.2.1"});
  const RoutePtr found = route("d.example");
  EXPECT_EQ(names(*found), "a.example");
  EXPECT_NE(found->detail.find("MX 10 8.8.2.9 is an address"), std::string::npos) << found->detail;
  dns.mx("e.example", {{10, "8.8.2.9"}});
  EXPECT_EQ(route("e.example")->kind, Route::Kind::kNoHosts);
}

TEST_F(RouterTest, PrivateTargetsAreRefusedUnlessAllowed) {
  dns.mx("d.example", {{10, "a.example"}});
  dns.address("a.example", {"127.0.0.1", "10.1.1.1"});
  const RoutePtr refused = route("d.example");
  EXPECT_EQ(refused->kind, Route::Kind::kNoHosts);
  EXPECT_NE(refused->detail.find("private address 127.0.0.1"), std::string::npos);
  options.allow_private_targets = true;
  EXPECT_EQ(route("d.example")->kind, Route::Kind::kHosts);
}

TEST_F(RouterTest, BothFamiliesInterleaved) {
  dns.mx("d.example", {{10, "a.example"}});
  dns.address("a.example", {"8.8.2.1", "8.8.2.2"});
  dns.address("a.example", {"2a00:db8::1"});
  std::set<std::string> first;
  for (int i = 0; i < 50; ++i) {
    const RoutePtr found = route("d.example");
    ASSERT_EQ(found->hosts.front().addresses.size(), 3U);
    first.insert(found->hosts.front().addresses.front());
  }
  EXPECT_EQ(first, (std::set<std::string>{"8.8.2.1", "2a00:db8::1"}));
  options.ipv6 = false;
  EXPECT_EQ(route("d.example")->hosts.front().addresses.size(), 2U);
}

TEST_F(RouterTest, Rfc5321_4_1_3_AddressLiterals) {
  EXPECT_EQ(route("[8.8.2.9]")->hosts.front().addresses, std::vector<std::string>{"8.8.2.9"});
  EXPECT_EQ(route("[IPv6:2a00:db8::9]")->hosts.front().addresses, std::vector<std::string>{"2a00:db8::9"});
  EXPECT_EQ(route("[127.0.0.1]")->kind, Route::Kind::kNoHosts);
  EXPECT_EQ(route("[8.8.2.200]")->kind, Route::Kind::kLoop);
  EXPECT_EQ(dns.queries, 0);
}

TEST_F(RouterTest, SmartHostsInOrderWithTheirPorts) {
  settings.smart_hosts = {{"s1.example", 2525}, {"127.0.0.1", 25}, {"s2.example", 587}};
  dns.address("s1.example", {"8.8.2.1"});
  dns.address("s2.example", {"10.0.0.1"});
  dns.mx("s1.example", {{10, "never.example"}});
  const RoutePtr found = route("d.example");
  EXPECT_EQ(names(*found), "s1.example 127.0.0.1 s2.example");
  EXPECT_EQ(found->hosts[0].port, 2525);
  EXPECT_EQ(found->hosts[2].port, 587);
}

TEST_F(RouterTest, SameHostsAreOneSite) {
  dns.mx("d.example", {{10, "a.example"}, {20, "b.example"}});
  dns.mx("e.example", {{10, "b.example"}, {10, "a.example"}});
  dns.mx("f.example", {{10, "a.example"}});
  for (const char* host : {"a.example", "b.example"}) dns.address(host, {"8.8.2.1"});
  EXPECT_EQ(route("d.example")->site, route("e.example")->site);
  EXPECT_NE(route("d.example")->site, route("f.example")->site);
}

TEST_F(RouterTest, TheShortestTtlHolds) {
  dns.mx("d.example", {{10, "a.example"}}, 10min);
  dns.address("a.example", {"8.8.2.1"}, 1min);
  EXPECT_EQ(route("d.example")->ttl, conf::Duration(1min));
}

TEST_F(RouterTest, AnswersMayComeLater) {
  dns.hold = true;
  dns.mx("d.example", {{10, "a.example"}, {20, "b.example"}});
  for (const char* host : {"a.example", "b.example"}) dns.address(host, {"8.8.2.1"});
  EXPECT_EQ(names(*route("d.example")), "a.example b.example");
}

// The registries of IANA (RFC 6890), and every way in which IPv6 carries an IPv4 address.
TEST(PrivateTarget, SpecialPurposeRegistries) {
  for (const char* address : {"127.0.0.1",
                              "10.0.0.1",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "169.254.1.1",
                              "0.0.0.0",
                              "100.64.0.1",
                              "224.0.0.1",
                              "255.255.255.255",
                              "192.0.0.8",
                              "192.0.2.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "198.51.100.1",
                              "203.0.113.1",
                              "192.88.99.1",
                              "240.0.0.1",
                              "::1",
                              "::",
                              "fe80::1",
                              "febf::1",
                              "fec0::1",
                              "fd00::1",
                              "ff02::1",
                              "::ffff:10.0.0.1",
                              "::127.0.0.1",
                              "::ffff:0:127.0.0.1",
                              "64:ff9b::127.4.0.1",
                              "64:ff9b::10.0.0.1",
                              "64:ff9b:1::8.8.8.8",
                              "2002:7f04:1::1",
                              "2002:c0a8:101::1",
                              "100::1",
                              "2001::1",
                              "2001:10::1",
                              "2001:2::1",
                              "2001:db8::1",
                              "3fff::1",
                              "5f00::1",
                              "2a00:1::5efe:10.0.0.1",
                              "2a00:1::200:5efe:127.0.0.1",
                              "nonsense",
                              ""}) {
    EXPECT_TRUE(is_private_target(address)) << address;
  }
  for (const char* address : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "198.20.0.1",
                              "64:ff9b::8.8.8.8", "2002:808:808::1", "2a00:1450::1", "2606:4700::1111",
                              "::ffff:8.8.8.8", "2a00:1::5efe:8.8.8.8", "2001:200::1"}) {
    EXPECT_FALSE(is_private_target(address)) << address;
  }
}

TEST(SameAddress, WhateverTheSpelling) {
  EXPECT_TRUE(same_address("::ffff:192.0.2.1", "192.0.2.1"));
  EXPECT_TRUE(same_address("2001:DB8:0::1", "2001:db8::1"));
  EXPECT_FALSE(same_address("192.0.2.1", "192.0.2.2"));
  EXPECT_FALSE(same_address("x", "x"));
}

TEST_F(RouterTest, Rfc5321_5_1_AnAliasOfOurOwnNameIsALoop) {
  dns.mx("d.example", {{10, "alias.example"}});
  dns.address("alias.example", {"8.8.7.7"});  // of a translator before us
  dns.answers[{"alias.example", RecordType::kA}].canonical_name = "relay.example";
  EXPECT_EQ(route("d.example")->kind, Route::Kind::kLoop);
  dns.answers[{"alias.example", RecordType::kA}].canonical_name = "other.example";
  EXPECT_EQ(route("d.example")->kind, Route::Kind::kHosts);
}

TEST_F(RouterTest, Rfc5321_5_1_OurOwnAddressInAMappedFormIsALoop) {
  dns.mx("d.example", {{10, "a.example"}});
  dns.address("a.example", {"::ffff:8.8.2.200"});
  EXPECT_EQ(route("d.example")->kind, Route::Kind::kLoop);
}

TEST_F(RouterTest, Rfc5321_5_1_OurOwnAddressBehindATranslatorOrATunnelIsALoop) {
  dns.mx("d.example", {{10, "a.example"}});
  for (const char* own : {"64:ff9b::8.8.2.200", "2002:808:2c8::1", "2a00:1::5efe:8.8.2.200",
                          "2a00:1::200:5efe:8.8.2.200", "::ffff:0:8.8.2.200", "64:ff9b:1::8.8.2.200"}) {
    dns.address("a.example", {own});
    EXPECT_EQ(route("d.example")->kind, Route::Kind::kLoop) << own;
  }
  for (const char* other : {"64:ff9b::8.8.2.201", "2002:808:2c9::1", "2a00:1::5efe:8.8.2.201"}) {
    dns.address("a.example", {other});
    EXPECT_EQ(route("d.example")->kind, Route::Kind::kHosts) << other;
  }
}

TEST(LeadsTo, AnAddressOfTheSameTunnelIsAnotherMachine) {
  EXPECT_TRUE(leads_to("2002:808:2c8::1", "8.8.2.200"));
  EXPECT_FALSE(leads_to("8.8.2.200", "2002:808:2c8::1"));
  EXPECT_FALSE(leads_to("2002:808:2c8::2", "2002:808:2c8::1"));
  EXPECT_TRUE(is_this_machine("64:ff9b::127.0.0.1"));
  EXPECT_TRUE(is_this_machine("::1"));
  EXPECT_FALSE(is_this_machine("::2"));
  EXPECT_FALSE(is_this_machine("64:ff9b::8.8.8.8"));
}

// A listener on all addresses answers on every one of 127/8, though an interface has 127.0.0.1 only.
TEST_F(RouterTest, Rfc5321_5_1_EveryLoopbackAddressIsOursWithAListenerOnAll) {
  options.allow_private_targets = true;
  dns.mx("d.example", {{10, "a.example"}});
  for (const char* own : {"127.4.0.5", "0.0.0.0", "::ffff:127.0.0.9"}) {
    dns.address("a.example", {own});
    options.own_addresses = {"8.8.2.200:25"};
    EXPECT_EQ(route("d.example")->kind, Route::Kind::kHosts) << own;
    options.own_addresses = {"0.0.0.0:25"};
    EXPECT_EQ(route("d.example")->kind, Route::Kind::kLoop) << own;
    options.own_addresses = {"0.0.0.0:26"};
    EXPECT_EQ(route("d.example")->kind, Route::Kind::kHosts) << own;
  }
}

TEST(IsSameWay, TheOrderOfEqualsIsNoDifferenceAndAnAddressIsOne) {
  Route a;
  a.kind = Route::Kind::kHosts;
  a.site = "a.test,b.test";
  a.hosts = {{"a.test", 10, 25, {"192.0.2.1", "192.0.2.2"}}, {"b.test", 10, 25, {"192.0.2.3"}}};
  Route b = a;
  std::swap(b.hosts[0], b.hosts[1]);
  std::swap(b.hosts[1].addresses[0], b.hosts[1].addresses[1]);
  EXPECT_TRUE(is_same_way(a, b));
  b.hosts[0].addresses.push_back("192.0.2.4");
  EXPECT_FALSE(is_same_way(a, b));
  b = a;
  b.hosts[0].port = 26;
  EXPECT_FALSE(is_same_way(a, b));
  b = a;
  b.order = "a.test|b.test";
  EXPECT_FALSE(is_same_way(a, b));
  b = a;
  b.kind = Route::Kind::kNullMx;
  EXPECT_FALSE(is_same_way(a, b));
}

}  // namespace
}  // namespace mx
