#include "relay/host/own_addresses.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <set>

namespace relay {
namespace {

// What the C library says through a netlink socket, which the relay may not have.
std::set<std::string> places_by_netlink(int family, uint16_t port) {
  std::set<std::string> places;
  ifaddrs* all = nullptr;
  EXPECT_EQ(getifaddrs(&all), 0);
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != family) continue;
    const void* octets =
        family == AF_INET
            ? static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(each->ifa_addr)->sin_addr)
            : &reinterpret_cast<sockaddr_in6*>(each->ifa_addr)->sin6_addr;
    char text[INET6_ADDRSTRLEN];
    places.insert(place_text(inet_ntop(family, octets, text, sizeof text), port));
  }
  freeifaddrs(all);
  return places;
}

std::set<std::string> places_of_listener(const std::string& address, uint16_t port) {
  conf::Listener listener;
  listener.address = address;
  listener.port = port;
  const std::vector<std::string> own = own_addresses({listener});
  return {own.begin(), own.end()};
}

TEST(OwnAddresses, AListenerOnAllStandsForEachAddressOfTheMachine) {
  std::set<std::string> expected = places_by_netlink(AF_INET, 2525);
  EXPECT_TRUE(expected.contains("127.0.0.1:2525"));
  expected.insert("0.0.0.0:2525");
  EXPECT_EQ(places_of_listener("0.0.0.0", 2525), expected);
}

TEST(OwnAddresses, OneOnAllOfIPv6StandsForBothFamilies) {
  std::set<std::string> expected = places_by_netlink(AF_INET, 2525);
  expected.merge(places_by_netlink(AF_INET6, 2525));
  expected.insert("[::]:2525");
  EXPECT_EQ(places_of_listener("::", 2525), expected);
}

TEST(OwnAddresses, AnyOtherStandsForItself) {
  EXPECT_EQ(places_of_listener("192.0.2.1", 25), std::set<std::string>{"192.0.2.1:25"});
  EXPECT_EQ(places_of_listener("2001:db8::1", 25), std::set<std::string>{"[2001:db8::1]:25"});
}

}  // namespace
}  // namespace relay
